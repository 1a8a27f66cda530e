"""An entry whose agent never handed anything in: regraded with nothing to grade, and all its denominators."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.schema.bundle import Bundle
from harness.schema.replay import ReplayReport, TaskReplay
from scoring.build import build_leaderboard
from scoring.comment import Changed, comment
from scoring.docket import recall, unreplayed, waiting
from scoring.inclusion import record_regrade
from scoring.leaderboard import Row
from scoring.ledger import LEDGER, check_files, read_ledger
from scoring.replays import record_replay
from tests.scoring.builder import GOOD, include, run_bundle, write_entry
from tests.scoring.conftest import Enter
from tests.scoring.test_comment import archive
from tests.scoring.test_reference_entries import report_of, write

NOTHING = {task: [[]] * 4 for task in GOOD}


@pytest.fixture
def idle(submissions: Path, tmp_path: Path) -> Path:
    folder = write_entry(submissions, run_bundle("idle", NOTHING), tmp_path / "keys")
    include(submissions, folder)
    return folder


def row(submissions: Path) -> Row:
    board = build_leaderboard(submissions).board("season", "season")
    assert board is not None
    return next(row for row in board.rows if row.id == "idle")


def test_it_is_regraded_when_our_job_found_nothing_to_grade_and_not_before(
    submissions: Path, idle: Path, enter: Enter
) -> None:
    before = row(submissions)
    assert (before.level, before.not_ranked_because) == ("signed", "is signed; ranking needs regraded")
    assert waiting(submissions) == ("idle",)
    line = record_regrade(submissions, "idle", write(report_of(idle, NOTHING), idle), "on main: nothing to grade")
    check_files(submissions, read_ledger(submissions / LEDGER))
    assert line.kind == "regrade" and waiting(submissions) == ()
    assert list(unreplayed(submissions)) == [] and recall(submissions, submissions.parent / "cache") == 0
    enter("good", {task: [[value]] * 4 for task, value in GOOD.items()})
    after = row(submissions)
    assert (after.level, after.not_ranked_because) == ("regraded", None)
    assert after.standings["last"].rank == 2 and after.standings["best"].rank == 2
    assert (after.valid_episodes, after.episodes) == (0, 4 * len(GOOD))


def test_an_artifact_that_was_not_graded_keeps_it_signed(submissions: Path, tmp_path: Path) -> None:
    """A regrade of nothing makes nothing of an entry that handed something in."""
    values = NOTHING | {"house-price": [[0.9], [], [], []]}
    folder = write_entry(submissions, run_bundle("idle", values), tmp_path / "keys")
    include(submissions, folder)
    record_regrade(submissions, "idle", write(report_of(folder, NOTHING), folder), "of nothing")
    assert row(submissions).level == "signed"


def test_there_is_nothing_to_replay(submissions: Path, idle: Path) -> None:
    report = ReplayReport(
        schema_version=1,
        bundle_sha256=hashlib.sha256((idle / "bundle.json").read_bytes()).hexdigest(),
        entry="idle",
        submitter="github:1234",
        profile="official",
        suite_version="1.0.0",
        harness_version="0.1.0",
        engine="docker",
        sandbox="docker",
        images={},
        tasks=tuple(
            TaskReplay(task=task, replay="ci", outcome="excused", reason="no episode left an artifact")
            for task in sorted(GOOD)
        ),
    )
    file = submissions / "idle.replay.json"
    file.write_bytes(report.canonical())
    with pytest.raises(UsageError, match="no regrade of these bytes"):
        record_replay(submissions, "idle", file, "too early")
    record_regrade(submissions, "idle", write(report_of(idle, NOTHING), idle), "on main")
    with pytest.raises(UsageError, match="finished no task: none was due"):
        record_replay(submissions, "idle", file, "nothing was done")


def test_the_comment_says_so(submissions: Path, idle: Path, tmp_path: Path) -> None:
    bundle = Bundle.from_json((idle / "bundle.json").read_bytes())
    report = report_of(idle, NOTHING).model_copy(update={"entry": "mine"})
    entry = bundle.entry.model_copy(update={"id": "mine"})
    found = archive(tmp_path, regrade=report.canonical(), bundle=bundle.model_copy(update={"entry": entry}).canonical())
    text = comment(found, Changed(("mine",), ()), submissions)
    assert "Nothing was handed in, so there is nothing to grade again." in text and "| episode |" not in text
