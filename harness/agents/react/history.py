"""What the model is shown of the past: the task, the turns, and which observations are left out to save room.

Takes turns as they happen, gives messages. Observations beyond the last `window` are left out `block` at a time, so
that between two such moments each request begins with the whole of the one before: a provider's prompt cache holds.
Never forgets a turn by itself: what does not fit is folded into a summary by the caller's word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.llm.returned import returned
from harness.schema.calls import SIGNED_ID, Reply, ReplyCall

Message = Mapping[str, Any]
SHORT_CHARS = 300
"""An observation that is not longer stays for ever: leaving it out would save nothing."""
KEPT_TURNS = 2
GAP_CHARS = 200
"""More than the words in the place of what is cut: what is cut once is not cut again."""
MARK = {"cache_control": {"type": "ephemeral"}}
_SOUND_ID = re.compile(rf"[A-Za-z0-9_-]{{1,64}}(?:{SIGNED_ID}[A-Za-z0-9+/=_-]{{1,65536}})?")


@dataclass(frozen=True)
class Result:
    """What came of one call; `call_id` empty: of an answer without a call."""

    call_id: str
    text: str

    @property
    def stub(self) -> str:
        """What stands in its place."""
        if len(self.text) <= SHORT_CHARS:
            return self.text
        return f"[{len(self.text)} characters of an earlier observation left out; it began: {self.text[:80]!r}]"


@dataclass
class Turn:
    """One answer of the model and what came of each of its calls. `returned`: the fields of its message in which its
    provider gets its own reasoning back."""

    text: str
    calls: tuple[ReplyCall, ...] = ()
    returned: Mapping[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)


class History:
    """The conversation of one episode. `native`: results go as tool messages, else as the user's."""

    def __init__(self, system: str, task: str, *, window: int, block: int, native: bool) -> None:
        self._system, self._task, self._native = system, task, native
        self._window, self._block = window, block
        self._turns: list[Turn] = []
        self._summary = ""
        self._folded = 0
        self._shown_from = 0

    def answered(self, reply: Reply) -> None:
        """A new turn."""
        number = self._folded + len(self._turns)
        calls = _sendable(reply.calls, number) if self._native else ()
        back = returned(reply.thinking, reply.reasoning if calls else "") if self._native else {}
        self._turns.append(Turn(reply.text, calls, back))

    def observed(self, text: str) -> None:
        """What came of the next call of the last turn."""
        turn = self._turns[-1]
        at = len(turn.results)
        turn.results.append(Result(turn.calls[at].id if at < len(turn.calls) else "", text))

    def messages(self, *, marks: bool = False) -> list[Message]:
        """The whole request, as chat messages."""
        told = self._task if not self._summary else f"{self._task}\n\n{self._summary}"
        shown: list[Message] = [{"role": "system", "content": self._system}, {"role": "user", "content": told}]
        boundary, seen, border = self._boundary(), 0, 1
        for turn in self._turns:
            shown.append(self._spoken(turn))
            for result in turn.results:
                border = len(shown) if seen < boundary else border
                text = result.stub if seen < boundary else result.text
                role = {"role": "tool", "tool_call_id": result.call_id} if result.call_id else {"role": "user"}
                shown.append({**role, "content": text})
                seen += 1
        return [
            message | MARK if marks and at in (0, border, len(shown) - 1) else message
            for at, message in enumerate(map(dict, shown))
        ]

    def leave_out_more(self) -> bool:
        """Leave out every observation but those of the last turns; False when that changes nothing."""
        last = sum(len(turn.results) for turn in self._turns[-KEPT_TURNS:])
        self._shown_from, before = max(self._boundary(), self._count() - last), self._boundary()
        return self._boundary() > before

    def foldable(self) -> str:
        """The turns that a summary may replace, as text with the summary so far; empty when there are none."""
        old = self._turns[:-KEPT_TURNS]
        lines = [line for number, turn in enumerate(old, start=self._folded + 1) for line in _told(number, turn)]
        return "\n".join([self._summary, *lines]).strip() if old else ""

    def fold(self, summary: str) -> None:
        """Put `summary` in the place of the foldable turns."""
        gone = self._turns[:-KEPT_TURNS]
        self._shown_from = max(0, self._shown_from - sum(len(turn.results) for turn in gone))
        self._turns = self._turns[-KEPT_TURNS:]
        self._folded += len(gone)
        self._summary = f"What you did in your first {self._folded} turns, summed up:\n{summary}"

    def clip(self, chars: int) -> bool:
        """Cut every observation that is longer; False when none is."""
        longer = False
        for turn in self._turns:
            for at, result in enumerate(turn.results):
                if len(result.text) > chars + GAP_CHARS:
                    turn.results[at] = Result(result.call_id, clipped(result.text, chars))
                    longer = True
        return longer

    def _count(self) -> int:
        return sum(len(turn.results) for turn in self._turns)

    def _boundary(self) -> int:
        """Number of observations that are left out, the oldest ones."""
        beyond = max(0, self._count() - self._window)
        return max(self._shown_from, beyond // self._block * self._block)

    def _spoken(self, turn: Turn) -> Message:
        if not turn.calls:
            return {"role": "assistant", "content": turn.text.strip() or "(an empty answer)", **turn.returned}
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.calls
        ]
        return {"role": "assistant", "content": turn.text.strip() or None, "tool_calls": calls, **turn.returned}


def clipped(text: str, chars: int) -> str:
    """At most so many characters, and a few words: two thirds of them from the head, the rest from the tail."""
    if len(text) <= chars:
        return text
    head = chars * 2 // 3
    gap = f"\n[... {len(text) - chars} characters left out; write output to a file and look at parts of it ...]\n"
    return text[:head] + gap + text[head - chars :]


def size(messages: Sequence[Message], tools: Sequence[Any] = ()) -> int:
    """Characters of a request, as the estimate of its tokens counts them."""
    return len(json.dumps([messages, tools], ensure_ascii=False))


def _sendable(calls: Sequence[ReplyCall], turn: int) -> tuple[ReplyCall, ...]:
    """Calls as every provider takes them back: own ids where the model gave none or one twice, plain names, and
    arguments that are a JSON object."""
    ids = [call.id for call in calls]
    sound = len(set(ids)) == len(ids) and all(_SOUND_ID.fullmatch(one) for one in ids)
    return tuple(
        ReplyCall(
            id=call.id if sound else f"call-{turn}-{at}",
            name=re.sub(r"[^A-Za-z0-9_-]", "_", call.name)[:64] or "unnamed",
            arguments=call.arguments
            if _is_object(call.arguments)
            else json.dumps({"unreadable": call.arguments[:500]}),
        )
        for at, call in enumerate(calls)
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _told(number: int, turn: Turn) -> list[str]:
    """A turn in a few lines, for who sums it up."""
    lines = [f"turn {number}: {clipped(turn.text, 600)}" if turn.text else f"turn {number}:"]
    called = [f"  called {call.name} {clipped(call.arguments, 400)}" for call in turn.calls]
    came = [f"  saw {clipped(result.text, 400)}" for result in turn.results]
    return lines + [line for pair in zip(called or [""] * len(came), came, strict=False) for line in pair if line]
