"""How proofs are shown. Takes Findings, gives a line for each, one table with a row a task, and what to do about those
that failed. Everything fits into WIDTH columns. Proves nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.proof import Finding

COLUMNS = ("task", "baseline", "oracle", "nop", "buggy", "exploits", "untried", "min", "proven")
NOTHING = "-"
WIDTH = 100
INDENT = " " * 6
ADVICE = {
    "baseline": "the starter, its data or the tolerance in task.toml is not what it was (load moves times alone)",
    "oracle": "what the oracle hands in must beat the baseline beyond doubt: look at grader/oracle and the grader",
    "nop": "a workspace in which nothing was done must not score: the starter lies there with an artifact",
    "starter": "its planted bug must show: change variants/, or leave the variant out",
    "exploit": "the grader has a hole, or `expect` in the exploit's exploit.toml is wrong",
}


@dataclass(frozen=True)
class Proof:
    """All findings of one task on one dataset, the exploits left out by name, and how long it took."""

    findings: Sequence[Finding]
    untried: Sequence[str]
    seconds: float

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)


def line(finding: Finding, width: int = WIDTH) -> str:
    """One finding, while the others are still tried. What failed says all it has to say, in lines of its own."""
    mark = "pass" if finding.passed else "FAIL"
    begun = f"{mark}  {name(finding):<18} {finding.what:<31} {finding.outcome:<8} "
    value = "" if finding.value is None else _value(finding, "9.5f")
    detail = " ".join(finding.detail.split())
    if not finding.passed:
        told = textwrap.fill(detail, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
        return f"{begun}{value}".rstrip() + (f"\n{told}" if detail else "")
    return (begun + (value or _cut(detail, width - len(begun)))).rstrip()


def row(proof: Proof) -> tuple[str, ...]:
    """The task's cells in the order of COLUMNS. A further dataset of a task stands below it, by its own name."""
    groups: Mapping[str, list[Finding]] = {kind: [] for kind in ADVICE}
    for finding in proof.findings:
        groups[_kind(finding)].append(finding)
    dataset = proof.findings[0].dataset
    return (
        f"  @{dataset}" if dataset else proof.findings[0].task,
        *(_cell(groups[kind], error=kind == "baseline") for kind in ("baseline", "oracle", "nop", "starter")),
        _exploits(groups["exploit"]),
        str(len(proof.untried)) if proof.untried else NOTHING,
        f"{proof.seconds / 60:.1f}",
        "yes" if proof.passed else "NO",
    )


def failures(proofs: Iterable[Proof]) -> list[Finding]:
    """Every finding that did not pass, in order."""
    return [finding for proof in proofs for finding in proof.findings if not finding.passed]


def advice(finding: Finding, words: str) -> str:
    """What failed, and what to do about it; `words`: the options that this call was given."""
    said = f"{finding.outcome} {_value(finding, '.5g')}" if finding.value is not None else finding.outcome
    what = f"FAILED: {name(finding)}: {finding.what}: {said}"
    lines = [ADVICE[_kind(finding)], f"again: gymboard tasks check {finding.task} {words}"]
    return "\n".join(
        [
            what,
            *(
                textwrap.fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
                for text in lines
            ),
        ]
    )


def untried(proof: Proof) -> str:
    """Which exploits were left out, and why."""
    text = f"untried: {name(proof.findings[0])}: {', '.join(proof.untried)} (only --sandbox docker claims to stop them)"
    return textwrap.fill(text, WIDTH, subsequent_indent=INDENT, break_on_hyphens=False)


def name(finding: Finding) -> str:
    """The task, and the dataset where it is not the task's own."""
    return f"{finding.task}@{finding.dataset}" if finding.dataset else finding.task


def _kind(finding: Finding) -> str:
    return finding.what.split()[0]


def _value(finding: Finding, form: str) -> str:
    error = "" if finding.stderr is None else f" +- {finding.stderr:{form.lstrip('9')}}"
    return f"{finding.value:{form}}{error}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 3, 0)] + "..."


def _cell(findings: Sequence[Finding], *, error: bool) -> str:
    """The ranked metric's finding when all passed, else those that failed."""
    failed = [finding for finding in findings if not finding.passed]
    return ", ".join(_said(finding, error) for finding in failed or findings[:1]) or NOTHING


def _said(finding: Finding, error: bool) -> str:
    """The value where there is one, else what came of it; FAIL before what should not be so."""
    said = finding.outcome if finding.value is None else f"{finding.value:.4g}"
    if finding.stderr and error:
        said += f" +- {finding.stderr:.2g}"
    return said if finding.passed else f"FAIL {said}"


def _exploits(findings: Sequence[Finding]) -> str:
    stopped = sum(finding.passed for finding in findings)
    return f"{'' if stopped == len(findings) else 'FAIL '}{stopped} of {len(findings)}"
