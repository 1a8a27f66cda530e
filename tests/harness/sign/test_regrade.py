"""Regrading: fresh grades of the payload's artifacts, with graders that really read them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import GradingError, SchemaError, UsageError, VerificationError
from harness.grading.base import GradeJob
from harness.regrade import regrade, write_report
from harness.schema.episode import Verdict
from harness.schema.regrade import RegradeReport
from harness.signing import Signers
from harness.verify import verify
from tests.harness.sign.builder import Signed, csv, play_verdict, strategy, verdict

TRUE = {
    hashlib.sha256(artifact[name]).hexdigest(): value
    for artifact, name, value in [
        (csv(1, 2, 3), "out/submission.csv", 0.5),
        (csv(1, 2, 4), "out/submission.csv", 0.75),
        (csv(9), "out/submission.csv", None),
        (strategy(1), "strategy.py", 2.5),
    ]
}


class Engine:
    """An engine that only says what it is; the graders of these tests start nothing."""

    def __init__(self, kind: str = "docker") -> None:
        self.kind = kind

    def image_digest(self, family: str) -> str:
        return f"sha256:{hashlib.sha256(family.encode()).hexdigest()}"


@dataclass
class Grader:
    """Values by the artifact's own bytes; play verdicts wobble with their seed as a real one does."""

    values: Mapping[str, float | None] = field(default_factory=lambda: TRUE)
    jobs: list[GradeJob] = field(default_factory=list)

    def __call__(self, job: GradeJob, engine: object) -> Verdict:
        self.jobs.append(job)
        (data,) = job.artifact.values()
        value = self.values[hashlib.sha256(data).hexdigest()]
        if job.task.grader.kind == "predictions":
            return verdict("rmse", value)
        assert value is not None
        wobble = (job.seed[0] / 255 - 0.5) * 0.02
        return play_verdict(value + wobble).model_copy(update={"seed": job.seed.hex()})


def again(signed: Signed, grader: Grader | None = None, engine: str = "docker", **more: Any) -> RegradeReport:
    return regrade(
        signed.folder,
        Engine(engine),  # type: ignore[arg-type]
        lambda spec, folder, profile: None,
        root=signed.tasks,
        grader=grader or Grader(),
        **more,
    )


def test_an_honest_bundle_supports_regraded(signed: Signed) -> None:
    grader = Grader()
    report = again(signed, grader)
    assert report.supports == "regraded" and not report.obstacles
    assert [(a.task, a.seed, a.attempt, a.roles) for a in report.attempts] == [
        ("tiny-play", 0, 2, ("best", "final")),
        ("tiny-play", 1, 0, ("best",)),
        ("tiny-predictions", 0, 0, ("best",)),
        ("tiny-predictions", 0, 1, ("final",)),
        ("tiny-predictions", 1, 0, ("final",)),
    ]
    assert len(grader.jobs) == 4  # strategy(1) is in two episodes and is graded once
    assert all(job.split == "sealed" and job.profile == "smoke" for job in grader.jobs)
    assert report.bundle_sha256 == verify(signed.folder, signed.signers).bundle_sha256
    assert set(report.images) == {"cpu"}


def test_seeds_are_fresh_32_bytes_drawn_after_the_artifact_is_in_hand(signed: Signed) -> None:
    drawn: list[int] = []
    grader = Grader()

    def draw(size: int) -> bytes:
        drawn.append(len(grader.jobs))
        return bytes([len(drawn)]) * size

    report = again(signed, grader, draw=draw)
    assert [job.seed for job in grader.jobs] == [bytes([n]) * 32 for n in (1, 2, 3, 4)]
    assert drawn == [0, 1, 2, 3]  # each just before its grade, none in advance
    assert report.attempts[0].measured.seed == "01" * 32
    system = Grader(), Grader()
    for one in system:
        again(signed, one)
    seeds = [job.seed for one in system for job in one.jobs]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("number", "index", "sealed", "says"),
    [
        (2, 0, {"metrics": {"rmse": 0.5 - 1e-8}}, "1e-08 apart"),
        (0, 2, {"metrics": {"score": 2.6}}, "allowed"),
        (0, 2, {"metrics": {"score": 4.0}, "stderr": {"score": 10.0}}, "0.0566 allowed"),
        (0, 2, {"metrics": {"score": 2.6}, "stderr": {}}, "0.04 allowed"),
    ],
)
def test_a_claim_that_does_not_hold_is_found_whatever_error_it_claims(
    signed: Signed, number: int, index: int, sealed: dict[str, Any], says: str
) -> None:
    signed.rewrite(lambda tree: tree["episodes"][number]["attempts"][index]["sealed"].update(sealed))  # type: ignore[index]
    report = again(signed)
    (wrong,) = report.disagreements
    assert says in wrong.sentence
    assert report.supports == "signed"
    assert any("disagrees" in obstacle for obstacle in report.obstacles)


def test_valid_where_invalid_was_claimed_and_the_other_way(signed: Signed) -> None:
    honest_bytes = hashlib.sha256(csv(9)["out/submission.csv"]).hexdigest()
    report = again(signed, Grader({**TRUE, honest_bytes: 0.25}))
    (wrong,) = report.disagreements
    assert wrong.sentence == "claimed invalid (three ids are missing); measured 0.25"
    dead = hashlib.sha256(csv(1, 2, 4)["out/submission.csv"]).hexdigest()
    (wrong,) = again(signed, Grader({**TRUE, dead: None})).disagreements
    assert wrong.sentence == "claimed 0.75; measured invalid (three ids are missing)"


def test_a_relative_tolerance_counts_when_it_is_more_than_the_errors(signed: Signed) -> None:
    file = signed.tasks / "tiny-play" / "task.toml"
    file.write_text(file.read_text().replace("regrade_tolerance = 0.0", "regrade_tolerance = 0.15"))
    signed.rewrite(lambda tree: tree["episodes"][0]["attempts"][2]["sealed"].update(metrics={"score": 2.8}))  # type: ignore[index]
    assert again(signed).supports == "regraded"


def test_a_local_grade_or_a_local_run_stays_signed_and_says_why(signed: Signed) -> None:
    report = again(signed, engine="local")
    assert report.supports == "signed" and "local sandbox" in report.obstacles[0]
    signed.rewrite(lambda tree: tree.update(sandbox="local"))
    report = again(signed)
    assert report.supports == "signed" and "never rise above signed" in report.obstacles[0]


def test_some_tasks_only_supports_nothing_more(signed: Signed) -> None:
    report = again(signed, tasks=["tiny-predictions"])
    assert {attempt.task for attempt in report.attempts} == {"tiny-predictions"}
    assert report.supports == "signed" and report.obstacles == ("not asked for: tiny-play",)
    with pytest.raises(UsageError, match="has no task mnli; it has tiny-play, tiny-predictions"):
        again(signed, tasks=["mnli"])


def test_a_grader_that_fails_leaves_the_attempt_ungraded(signed: Signed) -> None:
    class Broken(Grader):
        def __call__(self, job: GradeJob, engine: object) -> Verdict:
            if job.task.id == "tiny-play":
                raise GradingError("the referee died")
            return super().__call__(job, engine)

    report = again(signed, Broken())
    assert {attempt.task for attempt in report.attempts} == {"tiny-predictions"}
    assert report.supports == "signed"
    assert sum("could not be graded: the referee died" in obstacle for obstacle in report.obstacles) == 2


def test_equal_bytes_do_not_roll_again(signed: Signed, tmp_path: Path) -> None:
    cache = tmp_path / "verdicts"
    first = again(signed, cache=cache)
    grader = Grader()
    second = again(signed, grader, cache=cache)
    assert not grader.jobs
    assert [a.measured for a in second.attempts] == [a.measured for a in first.attempts]
    assert all(attempt.cached for attempt in second.attempts)
    again(signed, grader, engine="local", cache=cache)
    assert len(grader.jobs) == 4  # another engine is another verdict
    file = signed.tasks / "tiny-play" / "instruction.md"
    file.write_text("Do it better.\n")
    again(signed, grader, cache=cache)
    assert len(grader.jobs) == 5  # and so is another task folder


def test_a_failure_is_not_cached_and_a_damaged_cache_is_named(signed: Signed, tmp_path: Path) -> None:
    class Broken(Grader):
        def __call__(self, job: GradeJob, engine: object) -> Verdict:
            raise GradingError("no")

    cache = tmp_path / "verdicts"
    again(signed, Broken(), cache=cache)
    assert again(signed, cache=cache).supports == "regraded"
    for file in cache.rglob("*.json"):
        file.write_text("{")
    with pytest.raises(SchemaError, match=r"verdicts"):
        again(signed, cache=cache)


def test_better_values_on_artifacts_that_are_not_there_support_nothing(signed: Signed) -> None:
    signed.rewrite(lambda tree: tree["episodes"][0]["attempts"][0]["sealed"]["metrics"].update(score=4.9))  # type: ignore[index]
    report = again(signed)
    assert report.supports == "signed"
    assert "the payload lacks the artifact of tiny-play/seed-0 attempt 0" in report.obstacles


def test_a_value_without_artifact_supports_nothing(signed: Signed) -> None:
    def change(tree: Any) -> None:
        tree["episodes"][1]["attempts"][1]["sealed"] = tree["episodes"][1]["attempts"][0]["sealed"]

    signed.rewrite(change)
    assert "claims a value without an artifact" in again(signed).obstacles[0]


def test_an_artifact_larger_than_the_task_allows_is_not_graded(signed: Signed) -> None:
    file = signed.tasks / "tiny-play" / "task.toml"
    file.write_text(file.read_text().replace("max_bytes = 100000", "max_bytes = 20"))
    report = again(signed)
    assert "may have 20 bytes" in report.obstacles[0] and report.supports == "signed"


def test_another_task_version_is_not_graded(signed: Signed) -> None:
    file = signed.tasks / "tiny-play" / "task.toml"
    file.write_text(file.read_text().replace('\nversion = "1.0.0"\nupstream', '\nversion = "1.1.0"\nupstream'))
    report = again(signed)
    assert "ran version 1.0.0, the task is at 1.1.0" in report.obstacles[0]
    assert {attempt.task for attempt in report.attempts} == {"tiny-predictions"}


def test_contents_that_do_not_hold_are_not_graded(signed: Signed) -> None:
    part = signed.folder / "tiny-play.tar.zst"
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    grader = Grader()
    with pytest.raises(VerificationError, match="payload digest"):
        again(signed, grader)
    assert not grader.jobs


def test_the_report_lies_beside_the_folder_in_canonical_form(signed: Signed) -> None:
    report = again(signed)
    file = write_report(report, signed.folder)
    assert file == signed.folder.parent / "tiny-entry.regrade.json"
    assert RegradeReport.from_json(file.read_bytes()) == report
    verify(signed.folder, Signers.read(signed.key.with_suffix(".pub")))


def test_the_report_is_written_through_no_link(signed: Signed, tmp_path: Path) -> None:
    report, victim = again(signed), tmp_path / "victim"
    victim.write_text("mine")
    for name in ("tiny-entry.regrade.json", f".tiny-entry.regrade.json.{os.getpid()}"):
        (signed.folder.parent / name).symlink_to(victim)
    assert not write_report(report, signed.folder).is_symlink()
    assert victim.read_text() == "mine"


def test_a_report_cannot_claim_a_level_that_its_evidence_does_not_carry(signed: Signed) -> None:
    tree = json.loads(again(signed, engine="local").canonical())
    tree["supports"] = "regraded"
    with pytest.raises(SchemaError, match="regraded needs"):
        RegradeReport.from_json(json.dumps(tree))


def test_progress_counts_to_the_end(signed: Signed) -> None:
    told: list[tuple[int, int, str]] = []
    again(signed, progress=lambda done, total, label: told.append((done, total, label)))
    assert told[0] == (0, 5, "tiny-play/seed-0 attempt 2")
    assert told[-1] == (5, 5, "tiny-predictions done")
