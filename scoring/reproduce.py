"""Reproduce: whether a second party's own run bears an entry out, by what the board's own job measured of both.

Takes an entry with a counter-signature among the board's entries, appends the line of the ledger, or says why not.
Never believes a claimed value, a level, or the statement's own words about scores: only regraded values are compared.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from harness.clock import now
from harness.countersign import Entry, read_entry, read_statement, refusals
from harness.errors import UsageError
from harness.schema.episode import Verdict
from harness.schema.task import TaskSpec, load_tasks
from scoring.facts.check import read_verdicts
from scoring.facts.evidence import Standing, standings
from scoring.ledger import LEDGER, LedgerLine, append_line, read_ledger

STANDARD_ERRORS = 3.0


class Sample(NamedTuple):
    """One entry's regraded values on one task, of the last attempts that are valid, and their graders' errors."""

    values: tuple[float, ...]
    errors: tuple[float, ...]


def reproduce(submissions: Path, own: str, reason: str, root: Path | None = None) -> LedgerLine:
    """Append that the entry which `own` counter-signs is reproduced.

    Raises UsageError with every refusal by its code, when one of the two is not included and regraded whole, or when
    the second run falls short of the first on a task.
    """
    folder = submissions / own
    if refused := list(refusals(folder, submissions)):
        raise UsageError("; ".join(f"{code} {what}" for code, what in refused))
    statement, data = read_statement(folder)
    first, second = read_entry(submissions / statement.original.entry), read_entry(folder)
    known = standings(read_ledger(submissions / LEDGER), submissions)
    specs = load_tasks(root)
    samples = [_samples(submissions, entry, known, specs) for entry in (first, second)]
    if short := list(shortfalls(samples[0], samples[1], specs)):
        raise UsageError(f"{own} does not reproduce {first.bundle.entry.id}: {'; '.join(short)}")
    by = {"party": statement.party, "entry": own, "bundle_sha256": second.sha256}
    content = {
        "time": now(),
        "kind": "reproduction",
        "entry": first.bundle.entry.id,
        "bundle_sha256": first.sha256,
        "reason": reason,
        "reproduced_by": {**by, "statement_sha256": hashlib.sha256(data).hexdigest()},
    }
    return append_line(submissions / LEDGER, content)


def shortfalls(
    first: Mapping[str, Sample], second: Mapping[str, Sample], specs: Mapping[str, TaskSpec]
) -> Iterator[str]:
    """Every task on which the second run does not bear the first one out.

    It may be better; it may be worse by 3 standard errors of the difference of the two means, estimated from the spread
    of both runs' seeds together, and not less than the graders' own errors or the task's tolerance.
    """
    if not any(sample.values for sample in first.values()):
        yield "there is no value to reproduce"
    for task, one in sorted(first.items()):
        other, spec = second.get(task, Sample((), ())), specs[task]
        if not one.values:
            continue
        if not other.values or len(one.values) + len(other.values) < 3:
            yield f"{task}: {len(other.values)} valid artifacts against {len(one.values)}, too few to compare"
            continue
        sign = spec.metric.sign
        worse, allowed = sign * (fmean(one.values) - fmean(other.values)), _allowed(one, other, spec)
        if worse > allowed:
            yield f"{task}: worse by {worse:.4g} on average, {allowed:.4g} allowed"


def _allowed(one: Sample, other: Sample, spec: TaskSpec) -> float:
    count = len(one.values) + len(other.values)
    squares = math.fsum((value - fmean(sample.values)) ** 2 for sample in (one, other) for value in sample.values)
    spread = math.sqrt(squares / (count - 2) * (1 / len(one.values) + 1 / len(other.values)))
    graders = math.sqrt(math.fsum(fmean(e * e for e in s.errors) / len(s.errors) for s in (one, other)))
    tolerance = spec.grader.regrade_tolerance
    floor = tolerance if spec.grader.kind == "predictions" else tolerance * abs(fmean(one.values))
    return max(STANDARD_ERRORS * max(spread, graders), floor)


def _samples(
    submissions: Path, entry: Entry, known: Mapping[str, Mapping[str, Standing]], specs: Mapping[str, TaskSpec]
) -> dict[str, Sample]:
    """Task -> the regraded values. Raises UsageError unless the entry is included and all last artifacts are graded."""
    name = entry.bundle.entry.id
    standing = known.get(name, {}).get(entry.sha256, Standing())
    if not standing.included:
        raise UsageError(f"the ledger does not include these bytes of {name}; only what is on the board is compared")
    if unknown := sorted({episode.task for episode in entry.bundle.episodes} - specs.keys()):
        raise UsageError(f"{name} ran {', '.join(unknown)}, which this suite does not have")
    found = _verdicts(submissions, standing.verdicts)
    samples: dict[str, Sample] = {}
    for episode in entry.bundle.episodes:
        values, errors = samples.get(episode.task, Sample((), ()))
        last = episode.attempts[-1] if episode.attempts else None
        if last is not None and last.artifact_sha256:
            verdict = found.get((episode.task, episode.seed, last.index, last.artifact_sha256))
            if verdict is None:
                raise UsageError(f"{name} is not regraded whole: {episode.key} attempt {last.index} has no verdict")
            metric = specs[episode.task].metric.name
            if (value := verdict.metrics.get(metric)) is not None:
                values, errors = (*values, value), (*errors, verdict.stderr.get(metric, 0.0))
        samples[episode.task] = Sample(values, errors)
    return samples


def _verdicts(submissions: Path, wanted: Sequence[str]) -> dict[tuple[str, int, int, str], Verdict]:
    found: dict[tuple[str, int, int, str], Verdict] = {}
    for sha256 in wanted:
        for one in read_verdicts(submissions, sha256).verdicts:
            found[one.task, one.seed, one.attempt, one.artifact_sha256] = one.verdict
    return found
