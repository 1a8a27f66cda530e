"""Reasoning on its way through a program: a reply's into the encrypted_content of an item, and back.

Takes a Reply, gives text that a client only hands back; takes that text, gives the Reply's reasoning. It is packed, not
secret: what is signed in it, its provider checks.
"""

from __future__ import annotations

import base64

from harness.errors import SchemaError
from harness.gateway.http import HttpRefused
from harness.schema.calls import Reply

_OURS = "gymboard:"


def packed(reply: Reply) -> str | None:
    """None when there is nothing."""
    if not (reply.thinking or reply.reasoning):
        return None
    kept = Reply(thinking=reply.thinking, reasoning=reply.reasoning)
    return _OURS + base64.b64encode(kept.canonical()).decode()


def unpacked(text: str | None) -> Reply:
    """An empty Reply for what another server sealed. Raises HttpRefused for what is not as we packed it."""
    if text is None or not text.startswith(_OURS):
        return Reply()
    try:
        return Reply.from_json(base64.b64decode(text.removeprefix(_OURS), validate=True), subject="encrypted_content")
    except (ValueError, SchemaError):
        raise HttpRefused(400, "encrypted_content: not as this gateway sent it") from None
