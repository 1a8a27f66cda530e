"""Replays: the level `replayed` follows from lines of the ledger, and a replay that disagrees is seen and held."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gymboard
from harness.errors import UsageError, VerificationError
from harness.schema.replay import AttemptReplay, EpisodeReplay, ReplayReport, TaskReplay
from scoring.build import build_leaderboard
from scoring.docket import unreplayed
from scoring.facts.read import read_facts
from scoring.ledger import LEDGER, VERDICTS, read_ledger
from scoring.replays import record_replay
from tests.scoring.builder import (
    GOOD,
    METRICS,
    Values,
    artifact,
    decide,
    everywhere,
    include,
    regrade,
    run_bundle,
    verdict,
    write_entry,
)

TASKS = ("house-price", "colonel-blotto", "breakout")
VALUES: Values = everywhere({task: GOOD[task] for task in TASKS}, seeds=2)


def attempt(task: str, seed: int, found: float | None, expected: float) -> AttemptReplay:
    agrees = found is not None and abs(found - expected) <= 0.1
    return AttemptReplay(
        attempt=0,
        artifact_sha256=artifact(task, seed, 0),
        metric=METRICS[task],
        expected=expected,
        expected_from="regraded",
        replayed=None if found is None else verdict(task, found),
        difference=None if found is None else abs(found - expected),
        allowed=None if found is None else 0.1,
        agrees=agrees,
        sentence="a sentence",
    )


def replayed(task: str, found: Mapping[int, float | None], expected: float | None = None) -> TaskReplay:
    """One attempt a seed; by default the ledger's value is what they are compared with."""
    want = GOOD[task] if expected is None else expected
    episodes = tuple(
        EpisodeReplay(seed=seed, steps=3, attempts=(attempt(task, seed, value, want),), seconds=1.0)
        for seed, value in found.items()
    )
    agrees = all(one.agrees for one in episodes)
    return TaskReplay(task=task, replay="ci", outcome="agrees" if agrees else "differs", episodes=episodes, seconds=2.0)


def whole(task: str) -> TaskReplay:
    return replayed(task, {0: GOOD[task], 1: GOOD[task]})


def excused(task: str) -> TaskReplay:
    return TaskReplay(task=task, replay="maintainer", outcome="excused", reason="task.toml says so")


def unfinished(task: str) -> TaskReplay:
    return TaskReplay(task=task, replay="ci", outcome="unfinished", reason="the disk is full")


class Board:
    """One regraded entry."""

    def __init__(self, folder: Path, values: Values = VALUES) -> None:
        self.submissions = folder / "submissions"
        self.submissions.mkdir()
        self.entry = write_entry(self.submissions, run_bundle("mine", values), folder / "keys")
        include(self.submissions, self.entry)
        regrade(self.submissions, self.entry, values)

    def report(self, *tasks: TaskReplay, **changed: Any) -> Path:
        facts: dict[str, Any] = {
            "schema_version": 1,
            "bundle_sha256": hashlib.sha256((self.entry / "bundle.json").read_bytes()).hexdigest(),
            "entry": "mine",
            "submitter": "github:1234",
            "profile": "official",
            "suite_version": "1.0.0",
            "harness_version": "0.1.0",
            "engine": "docker",
            "sandbox": "docker",
            "images": {},
            "tasks": tasks,
        }
        file = self.submissions / "mine.replay.json"
        file.write_bytes(ReplayReport(**{**facts, **changed}).canonical())
        return file

    def record(self, *tasks: TaskReplay, **changed: Any) -> None:
        record_replay(self.submissions, "mine", self.report(*tasks, **changed), "test")

    def level(self) -> str:
        with read_facts(self.submissions) as facts:
            [(level,)] = facts.db.execute("SELECT level FROM entries").fetchall()
        return str(level)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_every_task_that_is_the_jobs_lifts_an_entry(board: Board) -> None:
    assert (board.level(), dict(unreplayed(board.submissions))) == (
        "regraded",
        {"mine": ("colonel-blotto", "house-price")},
    )
    board.record(whole("house-price"), whole("colonel-blotto"), excused("breakout"))
    assert (board.level(), dict(unreplayed(board.submissions))) == ("replayed", {})
    [*_, line] = read_ledger(board.submissions / LEDGER)
    document = (board.submissions / VERDICTS / f"{line.replay_sha256}.json").read_bytes()
    assert hashlib.sha256(document).hexdigest() == line.replay_sha256
    assert {one.task: one.outcome for one in line.replays or ()} == {
        "house-price": "agrees",
        "colonel-blotto": "agrees",
        "breakout": "excused",
    }


def test_what_is_not_finished_lifts_nothing_until_somebody_finishes_it(board: Board) -> None:
    board.record(whole("house-price"), unfinished("colonel-blotto"), excused("breakout"))
    assert (board.level(), dict(unreplayed(board.submissions))) == ("regraded", {"mine": ("colonel-blotto",)})
    board.record(whole("colonel-blotto"))
    assert board.level() == "replayed", "lines add up, task by task"
    board.record(excused("house-price"), whole("breakout"))
    assert board.level() == "replayed", "an excuse hides no finding"
    decide(board.submissions, board.entry, "downgrade", level="regraded")
    assert board.level() == "regraded"


@pytest.mark.parametrize(("found", "words"), [(0.1, "left 0.1: 0.1 is allowed"), (None, "left no valid artifact")])
def test_a_replay_that_disagrees_is_a_flag_and_holds_the_rank(tmp_path: Path, found: float | None, words: str) -> None:
    board = Board(tmp_path, everywhere(GOOD))
    ranked = build_leaderboard(board.submissions).board("season", "season").rows
    assert next(row for row in ranked if row.id == "mine").standings["last"].rank == 1
    board.record(replayed("house-price", {0: GOOD["house-price"], 1: found, 2: GOOD["house-price"], 3: found}))
    assert board.level() == "regraded"
    built = build_leaderboard(board.submissions)
    row = next(row for row in built.board("season", "season").rows if row.id == "mine")
    assert row.standings["last"].rank is None
    assert "house-price: its recorded actions, executed again, did not lead" in str(row.not_ranked_because)
    flags = [flag for flag in built.flags if flag.flag == "replay-differs"]
    assert [(flag.task, flag.seed) for flag in flags] == [("house-price", 1)]
    assert words in flags[0].words
    decide(board.submissions, board.entry, "review")
    row = next(r for r in build_leaderboard(board.submissions).board("season", "season").rows if r.id == "mine")
    assert row.standings["last"].rank == 1, "a person looked at it and let it pass"


@pytest.mark.parametrize(
    ("tasks", "changed", "said"),
    [
        ((whole("house-price"),), {"bundle_sha256": "ab" * 32}, "the report is about"),
        ((whole("house-price"),), {"engine": "local"}, "plain processes"),
        ((whole("house-price"),), {"sandbox": "local"}, "plain processes"),
        ((replayed("house-price", {0: GOOD["house-price"]}),), {}, "attempt 0 of seed 1 was replayed or regraded"),
        (
            (replayed("house-price", {0: 0.5, 1: 0.5}, expected=0.5),),
            {},
            "compared with 0.5; the ledger's regrade says",
        ),
        ((unfinished("house-price"), excused("breakout")), {}, "finished no task: house-price: the disk is full"),
        ((excused("breakout"),), {}, "none was due"),
    ],
)
def test_a_replay_of_something_else_is_not_written_down(
    board: Board, tasks: tuple[TaskReplay, ...], changed: dict[str, Any], said: str
) -> None:
    before = (board.submissions / LEDGER).read_bytes()
    with pytest.raises(UsageError, match=said):
        board.record(*tasks, **changed)
    assert (board.submissions / LEDGER).read_bytes() == before and board.level() == "regraded"


def test_a_report_that_was_changed_afterwards_is_named(board: Board) -> None:
    board.record(whole("house-price"))
    words = ["ledger", "verify", "--submissions", str(board.submissions)]
    assert CliRunner().invoke(gymboard.app, words).exit_code == 0
    [*_, line] = read_ledger(board.submissions / LEDGER)
    file = board.submissions / VERDICTS / f"{line.replay_sha256}.json"
    file.write_bytes(file.read_bytes().replace(b"0.92", b"0.93"))
    changed = CliRunner().invoke(gymboard.app, words)
    assert isinstance(changed.exception, VerificationError) and "line 3 names" in str(changed.exception)


def test_without_a_regrade_there_is_nothing_to_be_compared_with(tmp_path: Path) -> None:
    board = Board(tmp_path)
    other = write_entry(board.submissions, run_bundle("other", VALUES), tmp_path / "keys")
    include(board.submissions, other)
    sha256 = hashlib.sha256((other / "bundle.json").read_bytes()).hexdigest()
    report = board.report(whole("house-price"), entry="other", bundle_sha256=sha256)
    with pytest.raises(UsageError, match="no regrade of these bytes"):
        record_replay(board.submissions, "other", report, "test")


def test_the_command_writes_the_line(board: Board) -> None:
    board.report(whole("house-price"), whole("colonel-blotto"), excused("breakout"))
    words = ["ledger", "replay", "mine", "--reason", "by hand", "--submissions", str(board.submissions)]
    done = CliRunner().invoke(gymboard.app, words)
    assert done.exit_code == 0 and "mine 2 agree" in done.stdout
    shown = CliRunner().invoke(gymboard.app, ["ledger", "show", "mine", "--submissions", str(board.submissions)])
    assert "house-price: agrees" in shown.stdout and "breakout: excused" in shown.stdout
    waiting = ["ledger", "waiting", "--replay", "--submissions", str(board.submissions)]
    assert CliRunner().invoke(gymboard.app, waiting).stdout == ""
