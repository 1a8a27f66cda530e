"""How proofs are shown. Takes Findings, gives a line for each and one table with a row a task. Proves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.proof import Finding

COLUMNS = ("task", "baseline", "oracle", "nop", "buggy starter", "exploits", "not tried", "minutes", "proven")
NOTHING = "-"


@dataclass(frozen=True)
class Proof:
    """All findings of one task on one dataset, the exploits left out by name, and how long it took."""

    findings: Sequence[Finding]
    untried: Sequence[str]
    seconds: float

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)


def line(finding: Finding) -> str:
    """One finding, while the others are still tried."""
    value = "" if finding.value is None else f"{finding.value:.5f}"
    error = "" if finding.stderr is None else f"+- {finding.stderr:.5f}"
    mark = "pass" if finding.passed else "FAIL"
    detail = " ".join(finding.detail.split())[:110]
    return (
        f"{mark}  {_name(finding):<18} {finding.what:<34} {finding.outcome:<8} {value:>9} {error:<11} {detail}".rstrip()
    )


def row(proof: Proof) -> tuple[str, ...]:
    """The task's cells in the order of COLUMNS."""
    groups: Mapping[str, list[Finding]] = {kind: [] for kind in ("baseline", "oracle", "nop", "starter", "exploit")}
    for finding in proof.findings:
        groups[finding.what.split()[0]].append(finding)
    return (
        _name(proof.findings[0]),
        *(_cell(groups[kind]) for kind in ("baseline", "oracle", "nop", "starter")),
        _exploits(groups["exploit"]),
        str(len(proof.untried)) if proof.untried else NOTHING,
        f"{proof.seconds / 60:.1f}",
        "yes" if proof.passed else "NO",
    )


def failures(proofs: Iterable[Proof]) -> list[Finding]:
    """Every finding that did not pass, in order."""
    return [finding for proof in proofs for finding in proof.findings if not finding.passed]


def _name(finding: Finding) -> str:
    return f"{finding.task}@{finding.dataset}" if finding.dataset else finding.task


def _cell(findings: Sequence[Finding]) -> str:
    return ", ".join(_said(finding) for finding in findings) or NOTHING


def _said(finding: Finding) -> str:
    """The value where there is one, else what came of it; FAIL before what should not be so."""
    said = finding.outcome if finding.value is None else f"{finding.value:.4g}"
    if finding.stderr:
        said += f" +- {finding.stderr:.2g}"
    return said if finding.passed else f"FAIL {said}"


def _exploits(findings: Sequence[Finding]) -> str:
    failed = [finding.what.removeprefix("exploit ") for finding in findings if not finding.passed]
    stopped = f"{len(findings) - len(failed)} of {len(findings)} stopped"
    return f"{stopped}; FAIL {', '.join(failed)}" if failed else stopped
