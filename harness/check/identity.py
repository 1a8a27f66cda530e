"""Rules of identity: who enters what, with which versions of tasks, graders and images."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.check.rule import Finding, Subject, rule
from harness.errors import VerificationError
from harness.revoked import fingerprint, read_revoked, revoked_beside
from harness.schema.bundle import SUITE_VERSION
from harness.schema.digest import folder_sha256
from harness.signing import SIGNATURE
from harness.sshsig import public_key
from harness.verify import read_signature

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@rule(
    "GB101",
    "entry id",
    "Rename the folder, or pack again with --id.",
    imports=True,
)
def entry_id(subject: Subject) -> Iterator[Finding]:
    """The entry's id is the name of its folder."""
    folder = subject.folder.resolve().name
    if subject.bundle.entry.id != folder:
        yield "entry.id", f"is {subject.bundle.entry.id!r}, but its folder is {folder!r}"


@rule(
    "GB102",
    "suite version",
    "Run the current suite; a bundle of an older one stays on the board of its season.",
    imports=True,
)
def suite_version(subject: Subject) -> Iterator[Finding]:
    """A bundle is of the suite's current version."""
    if subject.bundle.suite_version != SUITE_VERSION:
        yield "suite_version", f"is {subject.bundle.suite_version}; the suite is at {SUITE_VERSION}"


@rule(
    "GB103",
    "known task",
    "See `gymboard tasks list` for the tasks there are.",
)
def known_task(subject: Subject) -> Iterator[Finding]:
    """Every episode is of a task of the suite."""
    for number, episode in enumerate(subject.bundle.episodes):
        if episode.task not in subject.tasks:
            yield f"episodes[{number}].task", f"is {episode.task!r}; the tasks are {', '.join(sorted(subject.tasks))}"


@rule(
    "GB104",
    "task version",
    "Update Gymboard and run the task again.",
)
def task_version(subject: Subject) -> Iterator[Finding]:
    """Every episode ran the task's current version."""
    for number, episode, spec in subject.known:
        if episode.task_version != spec.version:
            yield f"episodes[{number}].task_version", f"is {episode.task_version}; {spec.id} is at {spec.version}"


@rule(
    "GB105",
    "task digest",
    "Run the tasks as they are in the suite, without local changes.",
)
def task_digest(subject: Subject) -> Iterator[Finding]:
    """The bundle states the digest of every task folder that was run, and it is the suite's."""
    for task in sorted({spec.id for _, _, spec in subject.known}):
        stated, ours = subject.bundle.tasks_sha256.get(task), folder_sha256(subject.task_folders / task)
        if stated != ours:
            yield f"tasks_sha256.{task}", f"is {stated or 'missing'}; the suite's folder is {ours}"


@rule(
    "GB106",
    "grader version",
    "Update Gymboard and grade again (`gymboard regrade`).",
)
def grader_version(subject: Subject) -> Iterator[Finding]:
    """Every verdict was given by the task's current grader."""
    for number, episode, spec in subject.known:
        for attempt in episode.attempts:
            for split in ("validation", "sealed"):
                verdict = attempt.validation if split == "validation" else attempt.sealed
                if verdict and verdict.grader_version != spec.grader.version:
                    path = f"episodes[{number}].attempts[{attempt.index}].{split}.grader_version"
                    yield path, f"is {verdict.grader_version}; the grader is at {spec.grader.version}"


@rule(
    "GB107",
    "image digests",
    "Build or pull the official images (`gymboard images build`) and run again.",
)
def image_digests(subject: Subject) -> Iterator[Finding]:
    """A bundle names the digest of every image family that its tasks need."""
    for family in sorted({spec.image for _, _, spec in subject.known}):
        stated = subject.bundle.images.get(family)
        if stated is None or not _DIGEST.fullmatch(stated):
            yield f"images.{family}", f"is {stated or 'missing'}; sha256: and 64 hexadecimal digits are needed"


@rule(
    "GB108",
    "hardware",
    "Pack again from the run's own manifest.",
)
def hardware(subject: Subject) -> Iterator[Finding]:
    """A run names the machine that it ran on."""
    if subject.bundle.hardware is None:
        yield "hardware", "is missing"


@rule(
    "GB109",
    "submitter",
    "Pack again with --submitter github:<your numeric id>.",
    severity="warning",
)
def submitter(subject: Subject) -> Iterator[Finding]:
    """Whoever enters is github:<numeric id>; `local` is for what is never submitted, `gymboard` is the board
    itself.
    """
    if not subject.bundle.submitter.startswith("github:"):
        yield "submitter", f"is {subject.bundle.submitter}, so this bundle cannot be entered by a pull request"


@rule(
    "GB110",
    "revoked key",
    "Sign again with a key that still counts. What the key signed before it was lost is decided by the ledger.",
)
def revoked_key(subject: Subject) -> Iterator[Finding]:
    """The key that signed is not on the board's list of revoked keys, submissions/revoked."""
    try:
        listed = read_revoked(revoked_beside(subject.folder))
        key = public_key(read_signature(subject.folder)) if listed else ""
    except VerificationError as error:
        if error.check == "revoked":
            yield SIGNATURE, str(error)
        return
    if key in listed:
        yield SIGNATURE, f"is by the key {fingerprint(key)}, which was revoked"
