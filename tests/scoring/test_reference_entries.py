"""The board's own entries: a regrade that is written down, and the search that everybody is compared with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gymboard
from harness.errors import UsageError
from harness.schema.regrade import Regraded, RegradeReport
from harness.schema.task import load_tasks
from scoring.build import build_leaderboard
from scoring.facts.read import read_facts
from scoring.inclusion import record_regrade
from scoring.known import Known, tuned_values
from scoring.ledger import read_ledger
from scoring.propose import propose
from scoring.yardstick import NOTHING_TO_SEARCH, UNMEASURED, load_season
from tests.scoring.builder import (
    GOOD,
    METRICS,
    Values,
    artifact,
    everywhere,
    include,
    regrade,
    run_bundle,
    verdict,
    write_entry,
)


def report_of(folder: Path, values: Values, **changed: Any) -> RegradeReport:
    """What `gymboard regrade` would write when it found `values`."""
    attempts = [
        Regraded(
            task=task,
            seed=seed,
            attempt=index,
            roles=("best", "final"),
            artifact_sha256=artifact(task, seed, index),
            metric=METRICS[task],
            claimed=value,
            measured=verdict(task, value),
            difference=0.0,
            allowed=0.1,
            agrees=True,
            sentence="agrees",
            cached=False,
        )
        for task, seeds in values.items()
        for seed, handed in enumerate(seeds)
        for index, value in enumerate(handed)
    ]
    report = RegradeReport(
        schema_version=1,
        bundle_sha256=hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest(),
        entry=folder.name,
        submitter="github:1234",
        profile="official",
        suite_version="1.0.0",
        harness_version="0.1.0",
        engine="docker",
        images={},
        attempts=tuple(attempts),
        supports="regraded",
    )
    return report.model_copy(update=changed)


@pytest.fixture
def folder(submissions: Path, tmp_path: Path) -> Path:
    return write_entry(submissions, run_bundle("own", everywhere(GOOD)), tmp_path / "keys")


def write(report: RegradeReport, folder: Path) -> Path:
    file = folder.with_name(f"{folder.name}.regrade.json")
    file.write_bytes(report.canonical())
    return file


def test_what_a_regrade_found_is_what_the_board_shows(submissions: Path, folder: Path) -> None:
    include(submissions, folder)
    write(report_of(folder, everywhere(GOOD | {"house-price": 0.9})), folder)
    done = CliRunner().invoke(
        gymboard.app, ["ledger", "regrade", "own", "--reason", "on main", "--submissions", str(submissions)]
    )
    assert done.exit_code == 0, done.output
    [_, line] = read_ledger(submissions / "ledger.jsonl")
    assert (line.kind, line.reason) == ("regrade", "on main")
    board = build_leaderboard(submissions).board("season", "season")
    own = next(row for row in board.rows if row.id == "own")
    assert (own.level, own.standings["last"].rank, own.cells[0].last.value) == ("regraded", 1, 0.9)


def test_a_regrade_of_something_else_is_not_written_down(submissions: Path, folder: Path) -> None:
    good = report_of(folder, everywhere(GOOD))
    with pytest.raises(UsageError, match="does not include these bytes"):
        record_regrade(submissions, "own", write(good, folder), "too early")
    include(submissions, folder)
    differs = good.attempts[0].model_copy(update={"agrees": False, "sentence": "claimed 0.92, found 0.1"})
    refused = {
        "not about own": {"bundle_sha256": "0" * 64},
        "graded in local": {"engine": "local", "supports": "signed"},
        "claimed 0.92, found 0.1": {"attempts": (differs, *good.attempts[1:]), "supports": "signed"},
        "mnli could not be graded": {"obstacles": ("mnli could not be graded",), "supports": "signed"},
    }
    for reason, changed in refused.items():
        with pytest.raises(UsageError, match=reason):
            record_regrade(submissions, "own", write(good.model_copy(update=changed), folder), "no")
    assert len(read_ledger(submissions / "ledger.jsonl")) == 1


def tuned(submissions: Path, tmp_path: Path, name: str, values: Values, **who: str) -> None:
    bundle = run_bundle(name, values, model=None)
    entry = bundle.entry.model_copy(update={"agent": who.get("agent", "tuner")})
    bundle = bundle.model_copy(update={"entry": entry, "submitter": who.get("submitter", "gymboard")})
    folder = write_entry(submissions, bundle, tmp_path / "keys")
    include(submissions, folder)
    regrade(submissions, folder, values)


def found(submissions: Path) -> tuple[Known, ...]:
    with read_facts(submissions) as facts:
        return tuned_values(facts.db, load_tasks())


def test_plain_search_is_the_best_of_the_boards_own_four(submissions: Path, tmp_path: Path) -> None:
    values: Values = {
        "house-price": [[0.95, 0.86], [0.87], [], [0.85]],
        "three-sat": [[1.0]] * 4,
        "mnli": [[0.7]] * 3,
    }
    tuned(submissions, tmp_path, "search", values)
    tuned(submissions, tmp_path, "somebody", everywhere(GOOD), submitter="github:666")
    tuned(submissions, tmp_path, "untouched", everywhere(GOOD), agent="baseline")
    expected = Known("house-price", 0.87, "regraded: search, best of four seeds")
    assert found(submissions) == (expected,), "no validated value, nothing without search, no task with three seeds"
    season = propose("next", "2026-11-21", "2025-08-01", load_season(), load_tasks(), (), found(submissions))
    said = {rule.id: (rule.tuner_value, rule.tuner_source) for rule in season.tasks}
    assert said["house-price"] == (0.87, expected.source)
    assert said["three-sat"] == (None, NOTHING_TO_SEARCH)
    assert said["fashion-mnist"] == (None, UNMEASURED)
