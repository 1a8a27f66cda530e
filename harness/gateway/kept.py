"""What a provider wants back with its own calls, kept for programs whose client cannot say it, or forgets.

Takes every answer of an episode, gives requests their reasoning back: signed thinking, sealed items, plain reasoning. A
call is known by id, name and arguments together. Never changes what a program sends of its own, but plain text in the
place of what was sealed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from harness.llm.base import Message
from harness.llm.returned import SEALED, SIGNED, UNSIGNED, returned, without_unsigned
from harness.schema.calls import Reply

MOST_CHARS = 64 << 20
Known = tuple[str, str, str]


class Kept:
    """The reasoning of one episode's last calls, MOST_CHARS of it. Safe across threads."""

    def __init__(self) -> None:
        self._fields: dict[Known, dict[str, Any]] = {}
        self._chars = 0
        self._lock = threading.Lock()

    def note(self, reply: Reply) -> None:
        """Keep what an answer came with."""
        fields = returned(reply.thinking, reply.reasoning)
        if not fields:
            return
        with self._lock:
            for call in reply.calls:
                known = _known(call.id, call.name, call.arguments)
                self._drop(known)
                self._fields[known] = fields
                self._chars += _size(known, fields)
            while self._chars > MOST_CHARS:
                self._drop(next(iter(self._fields)))

    def _drop(self, known: Known) -> None:
        if (fields := self._fields.pop(known, None)) is not None:
            self._chars -= _size(known, fields)

    def restored(self, messages: Sequence[Message]) -> list[Message]:
        """The messages, with what belongs to their calls where it is missing."""
        return [self._restored(message) for message in messages]

    def _restored(self, message: Message) -> Message:
        if not message.get("tool_calls") or {SIGNED, SEALED} & set(message):
            return message
        with self._lock:
            known = [self._fields.get(_called(call)) for call in message["tool_calls"]]
        fields: dict[str, Any] = next((one for one in known if one), {})
        if not fields or (UNSIGNED in fields and UNSIGNED in message):
            return message
        return {**without_unsigned([message])[0], **fields}


def _size(known: Known, fields: Mapping[str, Any]) -> int:
    return sum(map(len, known)) + len(json.dumps(fields))


def _called(call: Mapping[str, Any]) -> Known:
    return _known(call["id"], call["function"]["name"], call["function"]["arguments"])


def _known(name: str, function: str, arguments: str) -> Known:
    """Arguments as what they mean: a client writes them anew."""
    try:
        arguments = json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        pass
    return name, function, arguments
