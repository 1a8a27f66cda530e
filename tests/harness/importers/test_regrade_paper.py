"""Regrade the paper: the kept table is what the recordings say, and our referee still agrees with some of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.importers.published import fetch, find
from harness.importers.regrade_paper import (
    GAMES,
    Scored,
    published_scores,
    regrade_scores,
)
from harness.importers.traj import read_traj
from harness.importers.translate import agent_of, translate
from harness.replay import recorded, replay
from harness.runner.run import place_of
from harness.sandbox import open_engine
from harness.schema.paper import RegradedScore, read_rows, table_file
from harness.schema.task import load_task, tasks_root

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def scores() -> list[Scored]:
    from tests.conftest import data_folder

    return list(published_scores(data_folder()))


@pytest.fixture(scope="module")
def rows() -> list[RegradedScore]:
    return read_rows(table_file().read_text(encoding="utf-8"))


def place(row: RegradedScore) -> tuple[str, str, int, int]:
    return row.model, row.task, row.seed, row.attempt


def test_the_table_has_every_published_score_once(scores: list[Scored], rows: list[RegradedScore]) -> None:
    assert len(rows) == len(scores) == 441
    for one, kept in zip(scores, rows, strict=True):
        assert (one.source.model, one.source.task, one.source.seed, one.attempt) == place(kept)
        assert (one.kind, one.step) == (kept.kind, kept.step)
        assert kept.published == pytest.approx(one.published, rel=1e-5)
        assert kept.changed == " ".join(f"{name}@{step}" for name, step in one.changed)


def test_every_strategy_was_recovered_and_no_untouched_score_differs(
    scores: list[Scored], rows: list[RegradedScore]
) -> None:
    assert all(one.strategy is not None for one in scores)
    assert {row.finding for row in rows} <= {"agrees", "changed", "invalid"}
    agreeing = [row for row in rows if row.finding == "agrees"]
    assert len(agreeing) >= 420
    assert all(row.sigmas is not None and abs(row.sigmas) <= 4 for row in agreeing)
    spread = sum(row.sigmas**2 for row in agreeing if row.sigmas is not None) / len(agreeing)
    assert 0.7 < spread < 1.3, "the differences are as large as chance makes them, neither more nor less"


def test_the_changed_ones_are_those_that_were_known(rows: list[RegradedScore]) -> None:
    changed = [row for row in rows if row.finding == "changed"]
    assert {(row.model, row.task, row.seed) for row in changed} == {
        ("claude-3-5-sonnet", "colonel-blotto", 0),
        ("gpt-4o", "colonel-blotto", 3),
    }
    best = max(changed, key=lambda row: row.published)
    assert best.published == pytest.approx(0.57557, abs=1e-5)
    assert best.step == 15 and best.changed == "target.py@14"


def test_our_referee_agrees_with_one_score_of_each_game(scores: list[Scored], tmp_path: Path) -> None:
    few = [next(one for one in scores if one.source.task == game and not one.changed) for game in GAMES]
    with open_engine("local") as engine:
        found = regrade_scores(few, engine, tmp_path / "cache")
        again = regrade_scores(few, engine, tmp_path / "cache")
    assert [row.finding for row in found] == ["agrees"] * 3
    assert found == again, "a verdict is kept, not drawn until it pleases"


def test_a_published_run_replays_to_the_very_bytes(tmp_path: Path, real_data: Path) -> None:
    """Its edits, made by our tools, leave the strategies that its listings showed."""
    source = find("gpt-4o/colonel-blotto", 3)
    task = load_task(tasks_root() / source.task)
    made = translate(source, read_traj(fetch(source, real_data), source.name), task, "smoke")
    made.write(tmp_path / "was", agent_of(source), "Play.")
    with pytest.raises(UsageError, match="already"):
        made.write(tmp_path / "was", agent_of(source), "Play.")
    with open_engine("local") as engine:
        found = replay(
            recorded(str(tmp_path / "was")),
            place_of(tasks_root() / source.task, "smoke", engine, None),
            tmp_path / "now",
        )
    assert found.diverged_at is None and len(found.attempts) == 5, (
        "four scores, and a validate that upstream could not score"
    )
    assert all(attempt.recorded_sha256 == attempt.replayed_sha256 is not None for attempt in found.attempts)
    assert all(attempt.agrees is None and "published" in attempt.sentence for attempt in found.attempts)
    assert found.same


def test_a_slow_machine_is_not_taken_for_a_bad_strategy() -> None:
    """Only the limit of a whole message leads to fewer games; an illegal move stays one."""
    from harness.importers.regrade_paper import _too_slow
    from harness.schema.episode import Verdict

    def invalid(reason: str) -> Verdict:
        return Verdict(duration_s=1, grader_version="1.0.0", split="sealed", invalid=reason)

    assert _too_slow(invalid("'round': no complete answer in time (limit 900 s a message)"))
    assert not _too_slow(invalid("round 7, game 6056: [29, 25, 0, 22, 25, 20] is no move"))
