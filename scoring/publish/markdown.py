"""Text for Markdown. Takes a sentence of ours, gives it so that it prints as written. Never for an entry's text."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\*_{}\[\]()#+!|<>&~^$])")


def plain(text: str) -> str:
    """Text for Markdown that prints as written, except that `code` between backticks stays code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        return _MARKS.sub(r"\\\1", "`".join(parts).replace("`", "\\`"))
    return "".join(f"`{part}`" if number_ % 2 else _escape(part) for number_, part in enumerate(parts))


def _escape(text: str) -> str:
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\*_{}\[\]()#+!|~^$])", r"\\\1", entities)
