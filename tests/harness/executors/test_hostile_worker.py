"""A worker that lies: about other episodes, about folders that are not its own, about having ended."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.executors import local
from harness.executors.base import Job, Needs
from harness.executors.copies import Change, files, packed
from harness.executors.desk import Desk
from harness.executors.local import Processes
from harness.executors.machine import Machine
from harness.executors.wire import MOST_BYTES
from harness.executors.words import RunWords
from harness.runner.progress import Progress
from harness.runner.run import told
from harness.schema.episode import Episode
from tests.harness.sign.builder import write_run

MINE, OTHER = "tiny-play/seed-0", "tiny-play/seed-1"
CARDS = {MINE: "mine", OTHER: "theirs"}
OUTSIDE = [
    "../other/seed-0",
    "/tmp/seed-0",
    "..",
    "",
    ".locks/seed-0",
    "tiny-play/seed-0/..",
    "tiny-play/seed-0\n",
    "a/b",
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Whole but for MINE."""
    run = write_run(tmp_path / "runs" / "tiny-run", tasks_sha256={"tiny-predictions": "0" * 64, "tiny-play": "0" * 64})
    shutil.move(run / MINE, tmp_path / "mine")
    return run


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def desk(run: Path) -> Desk:
    return Desk(run, 1.0, run.with_name("log.jsonl"), CARDS)


@pytest.mark.parametrize("key", OUTSIDE)
def test_what_is_no_episode_is_not_begun_and_nothing_is_written(run: Path, tmp_path: Path, key: str) -> None:
    made = desk(run)
    before = tree(tmp_path)
    change = Change("calls.jsonl", 0, b"{}\n")
    answers = [made.begin(key, "mine"), made.near(key, "mine"), made.put(key, 0, [change]), made.finish(key, 0, b"")]
    answers.append(made.spending(key, 0, "reserve", key, 0.1, 1.0, "2026-01-01T00:00:00Z", "0" * 64))
    assert {answer.kind for answer in answers} == {"error"}
    assert tree(tmp_path) == before


def test_an_episode_that_it_was_not_given_is_neither_begun_nor_written_nor_told(run: Path, tmp_path: Path) -> None:
    """Another's of this run, whose name is no secret, begun by its own worker or not."""
    made, change = desk(run), Change("calls.jsonl", 0, b"{}\n")
    shutil.rmtree(run / OTHER)
    before = tree(tmp_path)
    life = made.begin(MINE, "mine").value.life
    for theirs in (None, made.begin(OTHER, "theirs").value.life):
        answers = [made.begin(OTHER, "mine"), made.near(OTHER, "mine"), made.told(news_of(OTHER), "mine")]
        for guess in (life, 1, 2, None):
            answers += [made.put(OTHER, guess, [change]), made.finish(OTHER, guess, packed({}))]  # type: ignore[arg-type]
            answers.append(made.spending(OTHER, guess, "spent_usd", None))  # type: ignore[arg-type]
        assert all(answer.refused and answer.value is None for answer in answers)
        assert theirs is None or not made.put(OTHER, theirs, []).refused, "its own worker plays on"
    assert {name: data for name, data in tree(tmp_path).items() if ".locks" not in name} == before and not made.news()
    assert not made.told(news_of(MINE), "mine").refused
    assert made.told(replace(news_of(MINE), steps="many"), "mine").refused  # type: ignore[arg-type]
    assert made.news() == [news_of(MINE)]


def news_of(key: str) -> Progress:
    return Progress(key, "bash", 1, 2, 1.0, 2.0, None, None)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ("reserve", (OTHER, 0.1, 1.0, "2026-01-01T00:00:00Z", "0" * 64)),
        ("left_open", (OTHER,)),
        ("settle", (f"{OTHER}#0", 0.0, "2026-01-01T00:00:00Z", "0" * 64)),
        ("_demand", (MINE, -5.0, 1.0)),
        ("__init__", ()),
    ],
)
def test_another_episodes_money_is_not_its_business(run: Path, ask: Any, words: tuple[Any, ...]) -> None:
    made = desk(run)
    life = made.begin(MINE, "mine").value.life
    assert made.spending(MINE, life, ask, *words).kind == "error"
    assert made.spending(MINE, life, "spent_usd", None).value == 0.0
    assert not made.spending(MINE, life, "reserve", MINE, 0.1, 1.0, "2026-01-01T00:00:00Z", "0" * 64).refused


def test_a_word_that_it_has_ended_is_held_to_the_record(run: Path, tmp_path: Path) -> None:
    """What lies in the run's folder counts: nothing, somebody else's, or what is no record, is a failure of its own."""
    assert told(run, OTHER).episode == Episode.from_json((run / OTHER / "episode.json").read_bytes())
    ended = told(run, MINE)
    assert ended.episode is None and "there is no record" in ended.failure
    made = desk(run)
    life = made.begin(MINE, "mine").value.life
    better = dict(files(run / OTHER))
    assert not made.finish(MINE, life, packed(better)).refused
    ended = told(run, MINE)
    assert ended.episode is None and f"is the record of {OTHER}" in ended.failure
    (run / MINE / "episode.json").write_bytes(b"[" * 1000)
    assert "cannot be read" in told(run, MINE).failure
    (run / MINE / "episode.json").unlink()
    life = made.begin(MINE, "mine").value.life
    assert not made.finish(MINE, life, packed(dict(files(tmp_path / "mine")))).refused
    assert told(run, MINE).episode is not None


NEWS = {
    "doing": "bash",
    "steps": 1,
    "steps_limit": 2,
    "elapsed_s": 1.0,
    "wall_time_s": 2.0,
    "score": 0.5,
    "cost_usd": None,
}
OVER = {"fresh": True, "failure": ""}
LIES: dict[str, object] = {
    "no JSON": "'done'",
    "no text": "bytes(range(256))",
    "no number of Python's": "'{\"ended\": ' + '9' * 5000 + '}'",
    "no object": [1],
    "deep": "'[' * 100_000",
    "endless": f"'x' * {MOST_BYTES + (1 << 20)}",
    "nothing": {},
    "half": {"ended": MINE},
    "more": {"ended": MINE, **OVER, "key": MINE},
    "another's end": {"ended": OTHER, **OVER},
    "another's news": {"progress": {"key": OTHER, **NEWS}},
    "words for numbers": {"progress": {"key": MINE, **NEWS, "steps": "many"}},
    "no time": {"progress": {"key": MINE, **NEWS, "elapsed_s": float("nan")}},
    "for ever": {"progress": {"key": MINE, **NEWS, "wall_time_s": 1e308}},
    "left untold": {"left": MINE},
    "a fault of no words": {"fault": 1, "code": 2},
}
LIAR = """
import socket, sys
wire = socket.socket(fileno=int(sys.argv[1]))
while b'"play"' not in wire.recv(1 << 20):
    pass
said = {said}
wire.sendall((said if isinstance(said, bytes) else said.encode()) + b"\\n")
wire.recv(1)
"""


@pytest.mark.parametrize("name", LIES)
def test_a_worker_that_says_what_none_says_costs_its_episode_alone(
    run: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a process of this machine, which has the driver's socket: killed, tried again, then told as a failure."""
    lie = LIES[name]
    text = lie if isinstance(lie, str) else repr(json.dumps(lie))
    monkeypatch.setattr(local, "BOOT", LIAR.format(said=text))
    words = RunWords(
        run="tiny-run", folder=run, tasks=("tiny-play",), seeds=(0, 1), profile="smoke", agent="nop", sandbox="local"
    )
    seen: list[Progress] = []
    job = Job(MINE, Needs(1.0, 1))
    (ended,) = Processes(2, Machine(2.0, 1024)).run(words, [job], seen.append, threading.Event())
    assert (ended.key, ended.episode, seen) == (MINE, None, [])
    assert "died 3 times, at last it wrote a " in ended.failure
