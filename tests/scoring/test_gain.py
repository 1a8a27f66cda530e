"""Whose artifact it is, before a merge (GB111) and on the board (copies.sql): one rule, in which no claim counts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from harness.check.authors import own_artifacts
from harness.check.rule import Subject
from harness.schema.bundle import Bundle
from harness.schema.task import TaskSpec, load_tasks, tasks_root
from scoring.build import build
from scoring.tables import choose, query
from scoring.yardstick import load_season, season_yardstick
from tests.scoring.builder import METRICS, everywhere, include, run_bundle, verdict, write_entry
from tests.scoring.builder import regrade as write_regrade
from tests.scoring.conftest import Enter

HUGE = 1e6
STDERR = 0.001
"""What the builder's regrades measure."""
TASKS = ("prisoners-dilemma", "three-sat", "house-price", "fineweb-lm")


@cache
def tasks() -> dict[str, TaskSpec]:
    return load_tasks()


def margin(task: str) -> float:
    """Above it an artifact is somebody's: three measured standard errors, or the season's noise."""
    rule = next(rule for rule in load_season().tasks if rule.id == task)
    assert rule.baseline is not None
    return max(3 * STDERR, (rule.noise or 0.0) * abs(rule.baseline))


def worth(task: str, gain: float) -> float:
    spec = tasks()[task]
    baseline = spec.baseline("official") or spec.baseline("official", "upstream")
    assert baseline is not None
    return baseline.value + spec.metric.sign * gain


def claiming(bundle: Bundle, value: float | None, stderr: float) -> Bundle:
    """The same artifacts under another's name, with another claim; None: no claim at all."""
    episodes = [
        episode.model_copy(
            update={
                "attempts": tuple(
                    attempt.model_copy(
                        update={"sealed": None if value is None else verdict(episode.task, value, stderr)}
                    )
                    for attempt in episode.attempts
                )
            }
        )
        for episode in bundle.episodes
    ]
    return bundle.model_copy(update={"episodes": tuple(episodes), "submitter": "github:666"})


def refused(board: Path, bundle: Bundle) -> bool:
    """By GB111, with `board` as it was before this bundle came."""
    subject = Subject(board, bundle, tasks(), tasks_root(), (), None, board)
    return bool(list(own_artifacts.find(subject)))


def copied(submissions: Path) -> set[str]:
    """By the board."""
    with build(submissions, readings=["season"]) as built:
        entries = built.facts.db.execute("SELECT entry_no, entry FROM entries").fetchall()
        choose(built.facts.db, [number for number, _ in entries], season_yardstick(built.season))
        query(built.facts.db, "copies")
        found = {number for (number,) in built.facts.db.execute("SELECT entry_no FROM copies").fetchall()}
    return {name for number, name in entries if number in found}


@pytest.mark.parametrize("times", [-1.0, 0.9, 1.1])
def test_before_a_merge_and_on_the_board_the_answer_is_the_same(
    submissions: Path, enter: Enter, tmp_path: Path, times: float
) -> None:
    """Whatever is claimed, a huge error above all: what our regrade of the very bytes found decides."""
    claims = [(value, stderr) for value in (times, 1.5, -1.0, None) for stderr in (0.0, STDERR, HUGE)]
    for task in TASKS:
        assert task in METRICS
        values = everywhere({task: worth(task, times * margin(task))})
        enter(f"hers-{task}", everywhere({task: worth(task, 0.0)}), found=values)
        theirs = run_bundle(f"mine-{task}", values)
        answers = {
            refused(
                submissions,
                claiming(theirs, None if claim is None else worth(task, claim * margin(task)), stderr),
            )
            for claim, stderr in claims
        }
        assert answers == {times > 1}, task
    for task in TASKS:
        values = everywhere({task: worth(task, times * margin(task))})
        mine = claiming(run_bundle(f"mine-{task}", values), worth(task, 0.0), HUGE)
        folder = write_entry(submissions, mine, tmp_path / "keys")
        include(submissions, folder)
        write_regrade(submissions, folder, values)
    assert copied(submissions) == ({f"mine-{task}" for task in TASKS} if times > 1 else set())


@pytest.mark.parametrize(("claim", "stderr", "answer"), [(1.5, HUGE, True), (1.5, 0.0, True), (0.5, 0.0, False)])
def test_what_nobody_has_measured_goes_by_the_claim_without_its_error(
    submissions: Path, tmp_path: Path, claim: float, stderr: float, answer: bool
) -> None:
    """The other entry is signed only: its run was a local one, say."""
    task = "prisoners-dilemma"
    hers = run_bundle("hers", everywhere({task: worth(task, 0.0)}))
    write_entry(submissions, hers, tmp_path / "keys")
    baseline = tasks()[task].baseline("official")
    assert baseline is not None and baseline.tolerance is not None
    assert refused(submissions, claiming(hers, worth(task, claim * baseline.tolerance), stderr)) is answer
    assert not refused(submissions, claiming(hers, None, stderr)), "nothing claimed and nothing measured"


def test_a_ledger_that_is_damaged_measures_nothing(submissions: Path, enter: Enter) -> None:
    """A line or a file that cannot be read is passed over: the claim is what is left."""
    task = "prisoners-dilemma"
    values = everywhere({task: worth(task, 0.0)})
    enter("hers", values)
    boast = claiming(run_bundle("mine", values), worth(task, 0.1), 0.0)
    assert not refused(submissions, boast), "measured: it is the baseline's"
    (file,) = (submissions / "ledger.d").iterdir()
    whole = file.read_bytes()
    for spoiled in (b"", whole.replace(b'"sealed"', b'"sealer"'), b"[" * 100_000):
        file.write_bytes(spoiled)
        assert refused(submissions, boast)
    file.unlink()
    file.symlink_to("/dev/zero")
    assert refused(submissions, boast)
    file.unlink()
    file.write_bytes(whole)
    assert not refused(submissions, boast)
    ledger = submissions / "ledger.jsonl"
    ledger.write_bytes(b"[" * 100_000 + b"\n{}\n" + ledger.read_bytes())
    assert not refused(submissions, boast)
