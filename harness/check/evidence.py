"""Rules of evidence: every claimed value has an artifact in the payload, a verdict that fits the task, and a size."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.check.rule import Finding, Subject, rule
from harness.payload import kept_attempts
from harness.schema.episode import Verdict
from harness.schema.task import TaskSpec

MAX_IN_PULL_REQUEST_BYTES = 1 << 20
MAX_BUNDLE_BYTES = 4 << 20


@rule(
    "GB301",
    "artifact of every claim",
    "Pack the run again; if the run's folder lost files, run those episodes again.",
)
def artifacts_held(subject: Subject) -> Iterator[Finding]:
    """The payload holds the best and the final artifact of every episode: nothing is ranked that cannot be
    regraded.
    """
    if subject.held is None:
        return
    for number, episode, spec in subject.known:
        for attempt in kept_attempts(episode, spec.metric):
            if (episode.key, attempt.index) not in subject.held:
                yield f"episodes[{number}].attempts[{attempt.index}]", "has no artifact in the payload"


@rule(
    "GB302",
    "claims need artifacts",
    "Pack a run of this harness; values cannot be added by hand.",
)
def claims_without_artifact(subject: Subject) -> Iterator[Finding]:
    """A verdict belongs to an artifact: an attempt without one, or a refused one, has no sealed value."""
    for number, episode in enumerate(subject.bundle.episodes):
        for attempt in episode.attempts:
            path = f"episodes[{number}].attempts[{attempt.index}]"
            if (attempt.artifact_sha256 is None) != (attempt.artifact_bytes is None):
                yield path, "states only one of artifact_sha256 and artifact_bytes"
            if attempt.artifact_sha256 is None and (attempt.sealed or attempt.validation):
                yield path, "has a verdict but no artifact"
            if attempt.artifact_sha256 is not None and attempt.refused:
                yield path, "was refused, yet has an artifact"


@rule(
    "GB303",
    "every artifact graded",
    "Grade the run again; until then the attempt counts as none.",
    severity="warning",
)
def ungraded(subject: Subject) -> Iterator[Finding]:
    """Every artifact has a sealed verdict."""
    for number, episode in enumerate(subject.bundle.episodes):
        for attempt in episode.attempts:
            if attempt.artifact_sha256 and attempt.sealed is None:
                yield f"episodes[{number}].attempts[{attempt.index}].sealed", "is missing"


@rule(
    "GB304",
    "verdicts",
    "Pack a run that this version of the harness graded.",
)
def verdicts(subject: Subject) -> Iterator[Finding]:
    """A verdict has the task's metrics, all of them, each within its range, of the split that it stands for; a
    sealed play verdict publishes its seed and the standard error of the ranked metric.
    """
    for number, episode, spec in subject.known:
        for attempt in episode.attempts:
            for split, verdict in (("validation", attempt.validation), ("sealed", attempt.sealed)):
                path = f"episodes[{number}].attempts[{attempt.index}].{split}"
                if verdict and verdict.split != split:
                    yield path, f"is a verdict on the {verdict.split} split"
                if verdict and verdict.valid:
                    for what in _faults(spec, verdict):
                        yield path, what


def _faults(spec: TaskSpec, verdict: Verdict) -> Iterator[str]:
    names = {metric.name for metric in spec.metrics}
    if names != set(verdict.metrics):
        yield f"has the metrics {', '.join(sorted(verdict.metrics))}; {spec.id} has {', '.join(sorted(names))}"
    for metric in spec.metrics:
        value = verdict.metrics.get(metric.name)
        low = -math.inf if metric.minimum is None else metric.minimum
        high = math.inf if metric.maximum is None else metric.maximum
        if value is not None and not low <= value <= high:
            yield f"{metric.name} is {value:.6g}, outside {low:g} to {high:g}"
    if spec.grader.kind != "predictions" and verdict.split == "sealed":
        if verdict.seed is None:
            yield "has no seed"
        if spec.metric.name not in verdict.stderr:
            yield f"has no standard error of {spec.metric.name}"


@rule(
    "GB305",
    "success",
    "Pack a run of this harness.",
)
def success(subject: Subject) -> Iterator[Finding]:
    """An episode that says success ends with a submit whose artifact is valid."""
    for number, episode in enumerate(subject.bundle.episodes):
        last = episode.attempts[-1] if episode.attempts else None
        handed_in = last is not None and last.kind == "submit" and last.sealed is not None and last.sealed.valid
        if episode.exit_status == "success" and not handed_in:
            yield f"episodes[{number}].exit_status", "is success, but no valid artifact was submitted last"


@rule(
    "GB306",
    "no published values in a run",
    "Pack a run of this harness.",
)
def published(subject: Subject) -> Iterator[Finding]:
    """Values as published, baselines as published, audit notes and citations belong to imports."""
    if subject.bundle.audit or subject.bundle.citation:
        yield "(document)", "a run has no audit notes and no citation"
    for number, episode in enumerate(subject.bundle.episodes):
        if episode.published_baseline or any(attempt.published for attempt in episode.attempts):
            yield f"episodes[{number}]", "has values as published"


@rule(
    "GB307",
    "size in the pull request",
    "Upload the parts, and pack again with --location.",
)
def size_beside(subject: Subject) -> Iterator[Finding]:
    """The payload parts that lie beside bundle.json have at most 1 MiB together; larger ones lie at an https
    address. A bundle of the submitter `local` cannot enter by a pull request at all (GB109), so it may be larger.
    """
    beside = sum(part.size_bytes for part in subject.bundle.payload if part.location is None)
    if beside > MAX_IN_PULL_REQUEST_BYTES and subject.bundle.submitter != "local":
        yield "payload", f"{beside} bytes lie beside bundle.json; at most {MAX_IN_PULL_REQUEST_BYTES} may"


@rule(
    "GB308",
    "size of bundle.json",
    "Shorten what is long; text of the episodes belongs into the payload.",
    imports=True,
)
def size_of_bundle(subject: Subject) -> Iterator[Finding]:
    """bundle.json has at most 4 MiB."""
    size = len(subject.bundle.canonical())
    if size > MAX_BUNDLE_BYTES:
        yield "(document)", f"has {size} bytes; at most {MAX_BUNDLE_BYTES} are allowed"
