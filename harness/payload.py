"""Payload: what lies in a bundle's part, by name, and how its artifacts come out again.

A part is `<task>.tar.zst`; its members are `<task>/seed-<n>/` followed by one of LOGS or by attempts/<index>/<file>.
Takes a part and the bundle's episodes, gives artifacts whose digests equal those that the episodes state, or a
VerificationError. Never unpacks to disk, never reads a member that no episode accounts for.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.archive import Member, open_regular, read_archive
from harness.errors import UsageError, VerificationError
from harness.grading.base import Artifact, artifact_sha256
from harness.schema.base import SafePath
from harness.schema.episode import Attempt, Episode
from harness.schema.task import Metric

LOGS = ("steps.jsonl", "trajectory.json", "workspace.patch")
MAX_LOG_BYTES = 256 << 20
_MEMBER = re.compile(
    r"(?P<episode>[a-z0-9-]+/seed-\d+)/(?:(?P<log>[a-z]+\.[a-z]+)|attempts/(?P<index>\d+)/(?P<path>.+))"
)

_SAFE: TypeAdapter[str] = TypeAdapter(SafePath)

AttemptKey = tuple[str, int]
"""Episode.key and the attempt's index."""


def part_name(task: str) -> str:
    """The file name of a task's part."""
    return f"{task}.tar.zst"


def best_attempt(episode: Episode, metric: Metric) -> Attempt | None:
    """The first attempt with the best sealed value of `metric`; None when no attempt is valid."""
    valid = [a for a in episode.attempts if a.artifact_sha256 and a.sealed and metric.name in a.sealed.metrics]
    if not valid:
        return None
    return max(valid, key=lambda attempt: metric.sign * attempt.sealed.metrics[metric.name] if attempt.sealed else 0.0)


def final_attempt(episode: Episode) -> Attempt | None:
    """The last attempt, when it left an artifact."""
    last = episode.attempts[-1] if episode.attempts else None
    return last if last and last.artifact_sha256 else None


def kept_attempts(episode: Episode, metric: Metric) -> tuple[Attempt, ...]:
    """The attempts whose artifacts a payload carries: the best and the final one, in order, each once."""
    kept = {a.index: a for a in (best_attempt(episode, metric), final_attempt(episode)) if a is not None}
    return tuple(kept[index] for index in sorted(kept))


@dataclass(frozen=True)
class _Place:
    """Where a member belongs. `index` None: a log of the episode."""

    episode: str
    index: int | None
    path: str


def scan_part(file: Path, episodes: Mapping[str, Episode]) -> frozenset[AttemptKey]:
    """Check a whole part, streaming; gives the attempts whose artifacts it holds.

    `episodes` are those of the part's task, by key. Raises VerificationError "archive", "payload names",
    "payload logs" or "artifact digest".
    """
    held: set[AttemptKey] = set()
    logs: set[tuple[str, str]] = set()
    with _open(file) as part:
        for key, members in itertools.groupby(_members(part, file.name, episodes), key=_group):
            if key[1] is None:
                logs.update((place.episode, place.path) for place, _ in members)
                continue
            attempt = episodes[key[0]].attempts[key[1]]
            digest, size = hashlib.sha256(), 0
            for place, member in members:
                digest.update(f"{place.path}\0{member.size}\0".encode())
                for chunk in member.chunks():
                    digest.update(chunk)
                size += member.size
            _same(attempt, digest.hexdigest(), size, f"{file.name}: {key[0]} attempt {key[1]}")
            held.add((key[0], key[1]))
    if missing := sorted({(episode, log) for episode in episodes for log in LOGS} - logs):
        names = ", ".join("/".join(pair) for pair in missing[:5])
        raise VerificationError("payload logs", f"{file.name} lacks {names}")
    return frozenset(held)


def extract(
    file: Path, episodes: Mapping[str, Episode], wanted: Collection[AttemptKey], max_bytes: Mapping[str, int]
) -> dict[AttemptKey, Artifact]:
    """The wanted artifacts of a part, in memory, each file at most `max_bytes` of its name. Digests are checked.

    Raises VerificationError; a wanted artifact that the part does not hold is simply absent.
    """
    found: dict[AttemptKey, dict[str, bytes]] = {}
    with _open(file) as part:
        for place, member in _members(part, file.name, episodes):
            if place.index is None or (place.episode, place.index) not in wanted:
                continue
            if member.size > max_bytes.get(place.path, 0):
                limit = max_bytes.get(place.path)
                what = f"may have {limit} bytes, found {member.size}" if limit else "is no artifact of this task"
                raise VerificationError("artifact size", f"{file.name}: {member.name!r} {what}")
            found.setdefault((place.episode, place.index), {})[place.path] = member.read()
    for (episode, index), artifact in found.items():
        size = sum(map(len, artifact.values()))
        where = f"{file.name}: {episode} attempt {index}"
        _same(episodes[episode].attempts[index], artifact_sha256(artifact), size, where)
    return dict(found)


def read_logs(
    file: Path, episodes: Mapping[str, Episode], log: str, max_bytes: int
) -> Iterator[tuple[str, bytes | None]]:
    """(Episode.key, bytes) of one of LOGS for each episode of a part, one in memory at a time; None: over `max_bytes`.

    Raises VerificationError.
    """
    with _open(file) as part:
        for place, member in _members(part, file.name, episodes):
            if place.index is None and place.path == log:
                yield place.episode, member.read() if member.size <= max_bytes else None


@contextmanager
def _open(file: Path) -> Iterator[BufferedReader]:
    try:
        with open_regular(file) as opened:
            yield opened
    except UsageError as error:
        raise VerificationError("payload", str(error)) from None


def _group(item: tuple[_Place, Member]) -> tuple[str, int | None]:
    return item[0].episode, item[0].index


def _same(attempt: Attempt, digest: str, size: int, where: str) -> None:
    if digest != attempt.artifact_sha256 or size != attempt.artifact_bytes:
        stated = f"{attempt.artifact_sha256} ({attempt.artifact_bytes} bytes)"
        raise VerificationError("artifact digest", f"{where} is {digest} ({size} bytes); the episode states {stated}")


def _members(part: BufferedReader, name: str, episodes: Mapping[str, Episode]) -> Iterator[tuple[_Place, Member]]:
    for member in read_archive(part, name):
        yield _place(member, name, episodes), member


def _safe(name: str) -> bool:
    try:
        _SAFE.validate_python(name)
    except ValidationError:
        return False
    return True


def _place(member: Member, part: str, episodes: Mapping[str, Episode]) -> _Place:
    """Where a member belongs; only canonical names of files that an episode accounts for."""
    found = _MEMBER.fullmatch(member.name)
    episode = episodes.get(found["episode"]) if found else None
    if found is None or episode is None or not _safe(member.name):
        raise VerificationError("payload names", f"{part}: {member.name[:200]!r} belongs to no episode of this task")
    if found["log"]:
        if found["log"] not in LOGS or member.size > MAX_LOG_BYTES:
            raise VerificationError(
                "payload names", f"{part}: {member.name!r} is no log, or over {MAX_LOG_BYTES} bytes"
            )
        return _Place(found["episode"], None, found["log"])
    index = int(found["index"]) if len(found["index"]) < 8 else -1
    known = 0 <= index < len(episode.attempts) and str(index) == found["index"]
    if not known or episode.attempts[index].artifact_sha256 is None:
        raise VerificationError("payload names", f"{part}: {member.name!r} belongs to no attempt that left an artifact")
    return _Place(found["episode"], index, found["path"])
