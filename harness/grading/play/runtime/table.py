"""What a task's referee sits at: Table, its Players, and the two ways a match ends, Outcome and Foul.

Takes connections and the host's control lines; never relays anything of the player's to the host but a reason in words.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from .wire import Message, WireError, pack, receive, send

if TYPE_CHECKING:
    from .draws import Draws
    from .wire import Array


class Foul(Exception):
    """A player broke a rule, crashed or stalled. The candidate's foul makes the attempt invalid, with this reason."""

    def __init__(self, reason: str, player: str = "candidate") -> None:
        self.player = player
        super().__init__(reason)


@dataclass(frozen=True)
class Outcome:
    """A finished match: metrics by name (exactly the task's), their standard errors, how many games or instances."""

    metrics: Mapping[str, float]
    stderr: Mapping[str, float]
    n: int


class Player:
    """One connected player. Everything that it says is checked before it is returned."""

    def __init__(self, name: str, connection: socket.socket, reply_s: float, deadline: float) -> None:
        self.name = name
        self._connection = connection
        self._reply_s = reply_s
        self._deadline = deadline
        self._seq = 0

    def ask(
        self, kind: str, meta: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None
    ) -> Message:
        """Send one message, wait for its `reply`. Raises Foul when there is none in time or it is not one."""
        self._seq += 1
        frame = pack(kind, self._seq, meta, arrays)
        until = min(time.monotonic() + self._reply_s, self._deadline)
        try:
            send(self._connection, frame, until)
            reply = receive(self._connection, until)
        except WireError as error:
            raise self._foul(f"{kind!r}: {error}{self._which_limit(until)}") from None
        if reply.kind == "error":
            raise self._foul(str(reply.meta.get("text", "")) or "it reported an error without a text")
        if (reply.kind, reply.seq) != ("reply", self._seq):
            raise self._foul(f"{kind!r}: answered with {reply.kind!r} number {reply.seq}, not reply {self._seq}")
        return reply

    def _which_limit(self, until: float) -> str:
        if time.monotonic() < until:
            return ""
        whole = until == self._deadline
        return " (limit for the whole grade)" if whole else f" (limit {self._reply_s:g} s a message)"

    def _foul(self, reason: str) -> Foul:
        return Foul(reason, self.name)


class Control:
    """The referee's only line to the host: one JSON object a line, over standard input and output."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink

    def tell(self, tree: Mapping[str, Any]) -> None:
        self._sink.write(json.dumps(tree, allow_nan=False).encode() + b"\n")
        self._sink.flush()

    def hear(self) -> dict[str, Any]:
        line = self._source.readline()
        if not line:
            raise EOFError("the host closed the referee's standard input")
        tree = json.loads(line)
        if not isinstance(tree, dict):
            raise TypeError("the host sends JSON objects")
        return tree


class Table:
    """One match: the profile's parameters, the split, the random streams, and the players by name."""

    def __init__(
        self,
        params: Mapping[str, Any],
        split: Literal["validation", "sealed"],
        seed: bytes,
        players: Mapping[str, Player],
        control: Control,
    ) -> None:
        self.params = params
        self.split = split
        self.players = players
        self._seed = seed
        self._control = control

    @property
    def player(self) -> Player:
        return self.players["candidate"]

    def draws(self, name: str) -> Draws:
        """A stream of secret random numbers. The same name twice gives the same numbers twice."""
        from .draws import Draws

        return Draws(self._seed, name)

    def turn(self, name: str | None) -> dict[str, float]:
        """Pause every player but `name` (None: all of them), then resume it.

        Returns the CPU seconds that each player's container has used, by name, read while all of them stood still.
        """
        self._control.tell({"turn": name})
        return {player: float(used) for player, used in self._control.hear()["cpu_s"].items()}
