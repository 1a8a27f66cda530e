"""Reading many entries, in this process or in another.

Takes cases and a source of their numbers, gives for each its evidence digest or the reasons why it does not count, and
the segment of those that do. One bad entry never stops the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from harness.errors import GymboardError, ProblemsError
from scoring.facts.check import check_evidence
from scoring.facts.evidence import Case, Outcome, gather
from scoring.facts.segment import Writer

NUMBER_BYTES = 4


def settle(cases: Sequence[Case], numbers: Iterable[int], writer: Writer) -> dict[int, Outcome]:
    """Read the cases of these numbers."""
    return {number: _settle(cases[number], writer) for number in numbers}


def claimed(queue: int) -> Iterator[int]:
    """Numbers from a pipe that several processes read: each number reaches exactly one of them."""
    while len(number := os.read(queue, NUMBER_BYTES)) == NUMBER_BYTES:
        yield int.from_bytes(number, "big")


def _settle(case: Case, writer: Writer) -> Outcome:
    try:
        evidence = gather(case)
        bundle, verdicts = check_evidence(evidence)
    except ProblemsError as error:
        return Outcome(None, tuple(map(str, error.problems)))
    except (GymboardError, OSError) as error:
        return Outcome(None, (str(error),))
    writer.add(evidence.digest, evidence.bundle_sha256, bundle, verdicts)
    return Outcome(evidence.digest, files=evidence.files)
