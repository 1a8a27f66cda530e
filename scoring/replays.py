"""Replays: what executing an included entry's recorded actions again led to becomes a line of the ledger.

Takes a report of `gymboard replay`, holds it to the merged bytes and to the values that the ledger's regrade found,
appends the line. Grants no level: that follows from the outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.clock import now
from harness.errors import UsageError
from harness.schema.episode import Verdict
from harness.schema.replay import ReplayReport, TaskReplay
from scoring.facts.check import read_verdicts
from scoring.facts.evidence import MAX_BUNDLE_BYTES, Standing, read_plain
from scoring.inclusion import included
from scoring.ledger import LedgerLine, ReplayOutcome, append_replay

Key = tuple[str, int, int]


def record_replay(submissions: Path, entry: str, report: Path, reason: str) -> LedgerLine:
    """Write what `gymboard replay` found in the report beside the entry, task by task. What is unfinished stays out.

    Raises UsageError when the report is about other bytes, when these bytes are not included or not regraded, when it
    was not executed in the official containers, when it compares with other values than the ledger's, when it leaves an
    episode of a task out, or when it finished no task.
    """
    data = read_plain(str(report), MAX_BUNDLE_BYTES)
    found = ReplayReport.from_json(data, subject=report.name)
    sha256, standing = included(submissions, entry, found.entry, found.bundle_sha256)
    if (found.engine, found.sandbox) != ("docker", "docker"):
        raise UsageError(f"{report.name} comes from plain processes, which prove no isolation")
    regraded = _regraded(submissions, standing)
    for task in found.tasks:
        if fault := _fault(task, regraded):
            raise UsageError(f"{report.name}: {task.task}: {fault}")
    outcomes = [_outcome(task) for task in found.tasks if task.outcome != "unfinished"]
    if all(one.outcome == "excused" for one in outcomes):
        why = [f"{task.task}: {task.reason}" for task in found.tasks if task.outcome == "unfinished"]
        raise UsageError(f"{report.name} finished no task: {'; '.join(why)[:1500] or 'none was due'}")
    about = {"entry": entry, "bundle_sha256": sha256, "time": now(), "reason": reason}
    return append_replay(submissions, about, data, outcomes)


def _regraded(submissions: Path, standing: Standing) -> dict[Key, Verdict]:
    """The newest verdict of each attempt by (task, seed, attempt). Raises UsageError when nothing was regraded."""
    if not standing.verdicts:
        raise UsageError("the ledger has no regrade of these bytes; gymboard ledger regrade comes first")
    found: dict[Key, Verdict] = {}
    for sha256 in standing.verdicts:
        for one in read_verdicts(submissions, sha256).verdicts:
            found[one.task, one.seed, one.attempt] = one.verdict
    return found


def _fault(task: TaskReplay, regraded: Mapping[Key, Verdict]) -> str | None:
    """Why a finished task's replay is not the ledger's business."""
    if task.outcome not in ("agrees", "differs"):
        return None
    replayed = {(one.seed, attempt.attempt): attempt for one in task.episodes for attempt in one.attempts}
    if missing := sorted({key[1:] for key in regraded if key[0] == task.task} ^ replayed.keys()):
        return f"attempt {missing[0][1]} of seed {missing[0][0]} was replayed or regraded, and not the other"
    for (seed, number), attempt in replayed.items():
        ours = regraded[task.task, seed, number].metrics.get(attempt.metric)
        if attempt.expected != ours:
            return (
                f"seed {seed} attempt {number} was compared with {attempt.expected}; the ledger's regrade says {ours}"
            )
    return None


def _outcome(task: TaskReplay) -> ReplayOutcome:
    if task.outcome == "excused" or task.worst is None:
        return ReplayOutcome(task=task.task, outcome="excused" if task.outcome == "excused" else "agrees")
    episode, attempt = task.worst
    found = attempt.replayed.metrics.get(attempt.metric) if attempt.replayed else None
    return ReplayOutcome(
        task=task.task,
        outcome="differs",
        seed=episode.seed,
        expected=attempt.expected,
        found=found,
        allowed=attempt.allowed,
    )


def outcomes(line: LedgerLine) -> str:
    """What a line says of its tasks: `4 agree, 1 differs (house-price)`."""
    found = {kind: [one.task for one in line.replays or () if one.outcome == kind] for kind in ("agrees", "differs")}
    agree = f"{len(found['agrees'])} agree"
    return f"{agree}, {len(found['differs'])} differ ({', '.join(found['differs'])})" if found["differs"] else agree
