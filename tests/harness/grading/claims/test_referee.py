"""What the referee tells whom, and when: its own play() against players in this process."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.grading.play import runtime as gymplay
from harness.grading.play.runtime.draws import Draws
from harness.grading.play.runtime.wire import Message

Array = np.ndarray[Any, np.dtype[Any]]
PARAMS = {"vocabulary": 64, "sequence": 32, "grade_windows": 0, "grade_batch": 4, "audits": 400}
CLAIM = -float(np.log(64))


class Recorder:
    """A player that gives every token the same odds, and keeps what it was sent."""

    def __init__(self, name: str, log: list[tuple[str, str, Array | None]]) -> None:
        self.name, self._log = name, log

    def ask(self, kind: str, meta: Mapping[str, Any] = {}, arrays: Mapping[str, Array] = {}) -> Message:
        [sent] = arrays.values() or [None]
        self._log.append((self.name, kind, sent))
        if kind == "claims" and sent is not None:
            return Message("reply", 1, {}, {"claims": np.full((len(sent), sent.shape[1] - 1), CLAIM, np.float32)})
        return Message("reply", 1, {}, {"distribution": np.full(64, CLAIM, np.float32)})


class Seats:
    """The parts of a Table that the referee uses."""

    def __init__(self, params: Mapping[str, Any], seed: bytes) -> None:
        self.params, self.seed = params, seed
        self.log: list[tuple[str, str, Array | None]] = []
        self.players = {"candidate": Recorder("candidate", self.log)}

    def draws(self, name: str) -> Draws:
        return Draws(self.seed, name)

    def admit(self, name: str) -> None:
        self.log.append((name, "admitted", None))
        self.players[name] = Recorder(name, self.log)

    def dismiss(self, name: str) -> None:
        self.log.append((name, "dismissed", None))
        del self.players[name]


@pytest.fixture
def referee(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setitem(sys.modules, "gymplay", gymplay)
    yield importlib.import_module("harness.grading.claims.runtime.referee")
    sys.modules.pop("harness.grading.claims.runtime.referee", None)


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Array:
    """41 windows of 32 targets whose every token is different: a token says where it stands."""
    tokens = np.arange(41 * 32 + 1, dtype="<u2")
    header = np.zeros(256, "<i4")
    header[:3] = 20240520, 1, len(tokens)
    (tmp_path / "tokens.bin").write_bytes(header.tobytes() + tokens.tobytes())
    monkeypatch.setenv("GYMBOARD_DATA", str(tmp_path))
    return tokens


def uniform(monkeypatch: pytest.MonkeyPatch, referee: Any) -> None:
    """Tokens stand for places here and go beyond the vocabulary; all have the same odds."""
    found = referee.audited
    monkeypatch.setattr(referee, "audited", lambda distribution, target: found(distribution, target % 64))


def test_no_player_is_asked_about_a_token_that_it_was_sent(
    referee: Any, stream: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    uniform(monkeypatch, referee)
    table = Seats(PARAMS, b"s" * 32)
    outcome = referee.play(table)
    assert outcome.metrics["loss"] == pytest.approx(-CLAIM)
    assert outcome.n == 41 * 32
    furthest, asked = -1, 0
    for name, kind, sent in table.log:
        if kind != "next":
            continue
        assert name == "audited"
        assert sent is not None
        target = int(sent[-1]) + 1
        assert furthest < target, "an earlier prefix reached the target"
        assert sent[0] % 32 == 0, "a prefix begins where its window does"
        furthest, asked = max(furthest, int(sent.max())), asked + 1
    assert asked == PARAMS["audits"]


def test_the_claimant_is_gone_before_the_audited_player_comes(
    referee: Any, stream: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    uniform(monkeypatch, referee)
    table = Seats(PARAMS, b"s" * 32)
    referee.play(table)
    events = [(name, kind) for name, kind, _ in table.log if kind in ("dismissed", "admitted", "start")]
    assert events == [
        ("candidate", "start"),
        ("candidate", "dismissed"),
        ("audited", "admitted"),
        ("audited", "start"),
    ]


def test_windows_and_places_follow_from_the_seed_alone(
    referee: Any, stream: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    uniform(monkeypatch, referee)
    some = PARAMS | {"grade_windows": 16, "audits": 50}

    def sent(seed: bytes) -> list[bytes]:
        table = Seats(some, seed)
        referee.play(table)
        return [array.tobytes() for _, _, array in table.log if array is not None]

    assert sent(b"a" * 32) == sent(b"a" * 32)
    assert sent(b"a" * 32) != sent(b"b" * 32)


def test_a_damaged_shard_is_our_own_failure(
    referee: Any, stream: Array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for damage in (b"", b"\0" * 2000, (tmp_path / "tokens.bin").read_bytes()[:-2]):
        (tmp_path / "tokens.bin").write_bytes(damage)
        with pytest.raises(ValueError, match=r"tokens\.bin"):
            referee.play(Seats(PARAMS, b"s" * 32))
