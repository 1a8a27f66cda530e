"""Settle: what a regrade on main found becomes lines of the ledger, and nothing else does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.schema.digest import folder_sha256
from harness.schema.regrade import Regraded, RegradeReport
from harness.schema.replay import AttemptReplay, EpisodeReplay, ReplayReport, TaskReplay
from harness.schema.task import tasks_root
from harness.signing import Signers, make_demo_key, sign
from harness.verdict_cache import VerdictCache, VerdictKey
from scoring.docket import recall, unreplayed, waiting
from scoring.facts.read import read_facts
from scoring.inclusion import decide
from scoring.ledger import LEDGER, read_ledger
from scoring.settle import Settled, settle
from tests.scoring.builder import artifact, everywhere, run_bundle, verdict, write_entry

VALUES = everywhere({"house-price": 0.9}, seeds=2)


class Merged:
    """One signed entry on main, nothing decided."""

    def __init__(self, folder: Path) -> None:
        self.submissions, self.reports, self.keys = folder / "submissions", folder / "reports", folder / "keys"
        self.submissions.mkdir()
        self.reports.mkdir()
        self.entry = write_entry(self.submissions, run_bundle("mine", VALUES), self.keys)
        self.signers = Signers.read(make_demo_key(self.keys).with_suffix(".pub"))

    def report(self, found: float = 0.9, name: str = "mine", **other: object) -> None:
        attempts = tuple(
            Regraded(
                task="house-price",
                seed=seed,
                attempt=0,
                roles=("best", "final"),
                artifact_sha256=artifact("house-price", seed, 0),
                metric="r2",
                claimed=0.9,
                measured=verdict("house-price", found),
                difference=abs(0.9 - found),
                allowed=1e-9,
                agrees=found == 0.9,
                sentence=f"claimed 0.9, measured {found}",
                cached=False,
            )
            for seed in (0, 1)
        )
        obstacles = () if found == 0.9 else ("house-price/seed-0 disagrees",)
        facts = {
            "schema_version": 1,
            "bundle_sha256": hashlib.sha256((self.entry / "bundle.json").read_bytes()).hexdigest(),
            "entry": "mine",
            "submitter": "github:1234",
            "profile": "official",
            "suite_version": "1.0.0",
            "harness_version": "0.1.0",
            "engine": "docker",
            "images": {},
            "attempts": attempts,
            "obstacles": obstacles,
            "supports": "signed" if obstacles else "regraded",
        }
        document = RegradeReport(**{**facts, **other})  # type: ignore[arg-type]
        (self.reports / f"{name}.regrade.json").write_bytes(document.canonical())

    def settle(self, signers: Signers | None = None) -> list[Settled]:
        return list(settle(self.submissions, self.reports, signers or self.signers, "test"))

    @property
    def kinds(self) -> list[str]:
        return [line.kind for line in read_ledger(self.submissions / LEDGER)]

    def level(self) -> str:
        with read_facts(self.submissions) as facts:
            [(level,)] = facts.db.execute("SELECT level FROM entries").fetchall()
        return str(level)


@pytest.fixture
def merged(tmp_path: Path) -> Merged:
    return Merged(tmp_path)


def test_a_merged_entry_that_is_found_again_becomes_regraded_once(merged: Merged) -> None:
    assert waiting(merged.submissions) == ("mine",)
    merged.report()
    assert [one.fault for one in merged.settle()] == [False]
    assert (merged.kinds, merged.level()) == (["inclusion", "regrade"], "regraded")
    assert waiting(merged.submissions) == () and merged.settle() == []


def replay(merged: Merged, found: float = 0.9, **changed: object) -> None:
    """What the job's replay wrote beside the regrade's report."""
    attempts = [
        AttemptReplay(
            attempt=0,
            artifact_sha256=artifact("house-price", seed, 0),
            metric="r2",
            expected=0.9,
            expected_from="regraded",
            replayed=verdict("house-price", found),
            difference=abs(0.9 - found),
            allowed=0.01,
            agrees=found == 0.9,
            sentence=f"expected 0.9, replayed {found}",
        )
        for seed in (0, 1)
    ]
    episodes = tuple(
        EpisodeReplay(seed=seed, steps=2, attempts=(one,), seconds=1.0) for seed, one in enumerate(attempts)
    )
    task = TaskReplay(
        task="house-price", replay="ci", outcome="agrees" if found == 0.9 else "differs", episodes=episodes
    )
    about = RegradeReport.from_json((merged.reports / "mine.regrade.json").read_bytes())
    same = ("bundle_sha256", "entry", "submitter", "profile", "suite_version", "harness_version", "engine", "images")
    facts = {name: getattr(about, name) for name in same} | {"schema_version": 1, "sandbox": "docker", "tasks": (task,)}
    (merged.reports / "mine.replay.json").write_bytes(ReplayReport(**{**facts, **changed}).canonical())  # type: ignore[arg-type]


def test_a_replay_beside_the_report_becomes_a_line_of_its_own(merged: Merged) -> None:
    merged.report()
    replay(merged)
    [settled] = merged.settle()
    assert not settled.fault and "replay: 1 agree by line 2" in settled.sentence
    assert (merged.kinds, merged.level()) == (["inclusion", "regrade", "replay"], "replayed")
    assert waiting(merged.submissions) == () and not dict(unreplayed(merged.submissions))


def test_a_replay_that_differs_keeps_regraded_and_is_not_tried_again(merged: Merged) -> None:
    merged.report()
    replay(merged, found=0.5)
    [settled] = merged.settle()
    assert "0 agree, 1 differ (house-price)" in settled.sentence
    assert (merged.kinds, merged.level()) == (["inclusion", "regrade", "replay"], "regraded")
    assert waiting(merged.submissions) == () and not dict(unreplayed(merged.submissions))


def test_a_replay_of_other_bytes_costs_the_regrade_nothing(merged: Merged) -> None:
    merged.report()
    replay(merged, bundle_sha256="ab" * 32)
    [settled] = merged.settle()
    assert not settled.fault and "not replayed: the report is about" in settled.sentence
    assert (merged.kinds, merged.level()) == (["inclusion", "regrade"], "regraded")
    assert dict(unreplayed(merged.submissions)) == {"mine": ("house-price",)}


def test_a_disagreement_is_a_decision_so_that_another_push_draws_no_other_seed(merged: Merged) -> None:
    merged.report(found=0.5)
    [settled] = merged.settle()
    assert not settled.fault and "measured 0.5" in settled.sentence
    assert (merged.kinds, merged.level()) == (["inclusion", "downgrade"], "signed")
    assert waiting(merged.submissions) == ()


def test_a_key_that_is_not_the_submitters_lets_nothing_in(merged: Merged, tmp_path: Path) -> None:
    merged.report()
    other = Signers.read(make_demo_key(tmp_path / "another").with_suffix(".pub"))
    [settled] = merged.settle(other)
    assert settled.fault and "signature" in settled.sentence
    assert merged.kinds == [] and waiting(merged.submissions) == ("mine",)


@pytest.mark.parametrize("change", [{"bundle_sha256": "ab" * 32}, {"entry": "other"}])
def test_a_report_about_something_else_is_refused(merged: Merged, change: dict[str, str]) -> None:
    merged.report(**change)
    [settled] = merged.settle()
    assert settled.fault and "the report is about" in settled.sentence
    assert merged.kinds == []


def test_a_report_that_is_no_report_costs_only_its_own_entry(merged: Merged) -> None:
    second = write_entry(merged.submissions, run_bundle("another", VALUES), merged.keys)
    assert second.is_dir()
    (merged.reports / "another.regrade.json").write_text('{"supports": "regraded"}')
    merged.report()
    assert [(one.entry, one.fault) for one in merged.settle()] == [("another", True), ("mine", False)]
    assert merged.level() == "regraded"


def test_what_could_not_be_graded_is_signed_and_keeps_waiting(merged: Merged) -> None:
    merged.report(obstacles=("house-price/seed-1 attempt 0 could not be graded: the disk is full",), supports="signed")
    [settled] = merged.settle()
    assert settled.fault and "the disk is full" in settled.sentence
    assert (merged.kinds, merged.level()) == (["inclusion"], "signed")
    assert waiting(merged.submissions) == ("mine",)


def test_without_a_report_nothing_is_written(merged: Merged) -> None:
    [settled] = merged.settle()
    assert settled.fault and merged.kinds == []


def test_a_new_bundle_of_the_same_entry_waits_again(merged: Merged) -> None:
    merged.report()
    merged.settle()
    (merged.entry / "bundle.json").write_bytes(run_bundle("mine", everywhere({"house-price": 0.91})).canonical())
    sign(merged.entry, make_demo_key(merged.keys))
    assert waiting(merged.submissions) == ("mine",)


def test_neither_imports_nor_local_runs_wait(merged: Merged) -> None:
    local = run_bundle("local-run", VALUES).model_copy(update={"sandbox": "local"})
    write_entry(merged.submissions, local, merged.keys)
    assert waiting(merged.submissions) == ("mine",)


def test_the_ledgers_verdicts_are_the_cache_of_the_next_regrade(merged: Merged, tmp_path: Path) -> None:
    merged.report()
    merged.settle()
    cache = tmp_path / "cache"
    assert recall(merged.submissions, cache) == 2
    digest = folder_sha256(tasks_root() / "house-price")
    key = VerdictKey(artifact("house-price", 0, 0), digest, "1.0.0", "official", "docker")
    assert VerdictCache(cache).get(key) == verdict("house-price", 0.9)
    newer = VerdictKey(artifact("house-price", 0, 0), digest, "1.0.1", "official", "docker")
    assert VerdictCache(cache).get(newer) is None


def test_a_removed_entry_does_not_wait_and_says_why(merged: Merged) -> None:
    merged.report()
    merged.settle()
    line = decide(merged.submissions, "mine", "removal", "a copied artifact", evidence="https://example.org/17")
    assert line.evidence == "https://example.org/17"
    assert waiting(merged.submissions) == ()
    with pytest.raises(UsageError, match="includes no entry"):
        decide(merged.submissions, "mine", "downgrade", "again", level="signed")
