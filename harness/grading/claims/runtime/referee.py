"""The referee of a claims grade: asks one player for claims, ends it, asks a fresh one for bare distributions.

Takes a Table, gives the mean loss over a secret sample of windows. The positions of the audit are drawn only when all
claims are in. They are asked in the order of the stream, so that no player has ever been sent a token that lies behind
the position it is asked about; the second player knows only prefixes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from gymplay import Foul, Outcome, Table, WireError

from . import AUDITED, CLAIMANT, TOKENS
from .audit import Void, audited, checked_claims, judge, mean_loss
from .shard import read_shard

Array = np.ndarray[Any, np.dtype[Any]]


def play(table: Table) -> Outcome:
    """`table.params`: vocabulary, sequence, grade_windows (0: all), grade_batch, audits."""
    tokens = read_shard(Path(os.environ["GYMBOARD_DATA"]) / TOKENS)
    windows = _sample(table, "windows", (len(tokens) - 1) // _param(table, "sequence"), _param(table, "grade_windows"))
    try:
        claims = checked_claims(_claims(table, tokens, windows))
        table.dismiss(CLAIMANT)
        table.admit(AUDITED)
        places = _sample(table, "audit", claims.size, _param(table, "audits"))
        judge(*_audit(table, tokens, windows, claims, places))
    except (Void, WireError) as void:
        raise Foul(str(void)) from None
    loss, error = mean_loss(claims)
    return Outcome({"loss": loss}, {"loss": error}, n=claims.size)


def _param(table: Table, name: str) -> int:
    return int(table.params[name])


def _sample(table: Table, stream: str, population: int, count: int) -> Array:
    """`count` different numbers below `population`, all of them when count is 0, ascending."""
    if not 0 <= count <= population:
        raise ValueError(f"cannot draw {count} of {population} {stream}")
    order = np.argsort(table.draws(stream).words(population), kind="stable")
    return np.sort(order[: count or population])


def _start(table: Table, name: str) -> None:
    seed = int(table.draws("player").integers(0, 2**31 - 1, 1)[0])
    table.players[name].ask("start", {"file": "player.py", "checkpoint": "model.safetensors", "seed": seed})


def _claims(table: Table, tokens: Array, windows: Array) -> Array:
    """What the player claims for every target of every window: (windows, sequence)."""
    length, batch = _param(table, "sequence"), _param(table, "grade_batch")
    _start(table, CLAIMANT)
    parts = []
    for first in range(0, len(windows), batch):
        rows = windows[first : first + batch]
        sequences = np.stack([tokens[row * length : row * length + length + 1] for row in rows]).astype("<i4")
        reply = table.players[CLAIMANT].ask("claims", {}, {"sequences": sequences})
        parts.append(reply.array("claims", "f4", (len(rows), length)))
    return np.concatenate(parts)


def _audit(table: Table, tokens: Array, windows: Array, claims: Array, places: Array) -> tuple[Array, Array]:
    """Claimed and found log-probability at each place (a flat index into claims, ascending)."""
    length, vocabulary = _param(table, "sequence"), _param(table, "vocabulary")
    _start(table, AUDITED)
    found = []
    for window, position in zip(windows[places // length], places % length, strict=True):
        begin = window * length
        prefix = tokens[begin : begin + position + 1].astype("<i4")
        reply = table.players[AUDITED].ask("next", {}, {"prefix": prefix})
        distribution = reply.array("distribution", "f4", (vocabulary,))
        found.append(audited(distribution, int(tokens[begin + position + 1])))
    return claims.reshape(-1)[places], np.array(found)
