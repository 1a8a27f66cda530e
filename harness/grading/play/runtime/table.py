"""What a task's referee sits at: Table, its Players, and the two ways a match ends, Outcome and Foul.

Takes connections and the host's control lines; never relays anything of the player's to the host but a reason in words.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from .wire import Message, WireError, pack, receive, send

if TYPE_CHECKING:
    from .draws import Draws
    from .wire import Array


class Foul(Exception):
    """A player broke a rule, crashed or stalled. The candidate's foul makes the attempt invalid, with this reason.

    `silent`: it gave no words of its own, so the host adds how its process ended.
    """

    def __init__(self, reason: str, player: str = "candidate", silent: bool = False) -> None:
        self.player = player
        self.silent = silent
        super().__init__(reason)


@dataclass(frozen=True)
class Outcome:
    """A finished match: metrics by name (exactly the task's), their standard errors, how many games or instances."""

    metrics: Mapping[str, float]
    stderr: Mapping[str, float]
    n: int


@dataclass(frozen=True)
class Patience:
    """How long the players are waited for: each for one message, all together until `deadline` (time.monotonic).

    `waited_s` is the wall time that each has taken so far, by name: when the whole time is up, whoever took most of it
    is at fault, not whoever happens to be asked at that moment.
    """

    reply_s: float
    deadline: float
    waited_s: dict[str, float] = field(default_factory=dict)

    def slowest(self) -> str:
        return max(self.waited_s, key=self.waited_s.__getitem__)


class Player:
    """One connected player. Everything that it says is checked before it is returned."""

    def __init__(self, name: str, connection: socket.socket, patience: Patience) -> None:
        self.name = name
        self._connection = connection
        self._patience = patience
        self._seq = 0

    def ask(
        self, kind: str, meta: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None
    ) -> Message:
        """Send one message, wait for its `reply`. Raises Foul when there is none in time or it is not one."""
        self._seq += 1
        reply = self._exchange(kind, pack(kind, self._seq, meta, arrays))
        if reply.kind == "error":
            raise Foul(str(reply.meta.get("text") or "it reported an error without a text"), self.name)
        if (reply.kind, reply.seq) != ("reply", self._seq):
            answer = f"{reply.kind!r} number {reply.seq}, not reply {self._seq}"
            raise Foul(f"{kind!r}: answered with {answer}", self.name)
        return reply

    def close(self) -> None:
        self._connection.close()

    def _exchange(self, kind: str, frame: bytes) -> Message:
        patience, begun = self._patience, time.monotonic()
        until = min(begun + patience.reply_s, patience.deadline)
        try:
            send(self._connection, frame, until)
            return receive(self._connection, until)
        except WireError as error:
            broke = f"{kind!r}: {error}"
        finally:
            patience.waited_s[self.name] = patience.waited_s.get(self.name, 0.0) + time.monotonic() - begun
        if time.monotonic() < until:
            raise Foul(broke, self.name, silent=True)
        if until == patience.deadline:
            raise Foul(f"{broke} (limit for the whole grade)", patience.slowest(), silent=True)
        raise Foul(f"{broke} (limit {patience.reply_s:g} s a message)", self.name, silent=True)


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
        players: dict[str, Player],
        control: Control,
        seat: Callable[[str], Player],
    ) -> None:
        self.params = params
        self.split = split
        self.players = players
        self._seed = seed
        self._control = control
        self._seat = seat

    @property
    def player(self) -> Player:
        return self.players["candidate"]

    def draws(self, name: str) -> Draws:
        """A stream of secret random numbers. The same name twice gives the same numbers twice."""
        from .draws import Draws

        return Draws(self._seed, name)

    def admit(self, name: str) -> None:
        """Have the host start a player that it kept back, and seat it."""
        self.players[name] = self._seat(name)

    def dismiss(self, name: str) -> None:
        """End a player for good. Returns when its container is gone."""
        self.players.pop(name).close()
        self._control.tell({"end": name})
        self._control.hear()

    def turn(self, name: str | None) -> dict[str, float]:
        """Pause every player but `name` (None: all of them), then resume it.

        Returns the CPU seconds that each player's container has used, by name, read while all of them stood still.
        """
        self._control.tell({"turn": name})
        return {player: float(used) for player, used in self._control.hear()["cpu_s"].items()}
