"""Challenge: the text of an issue about an entry. Takes what a regrade found, or why none was possible, gives Markdown.

Every text of the entry is set as code, so that it can neither format nor call anybody. Sends nothing, judges nobody.
"""

from __future__ import annotations

from harness.errors import GymboardError
from harness.schema.markdown import code
from harness.schema.regrade import Regraded, RegradeReport

MAX_LINES = 60


def differs(report: RegradeReport) -> bool:
    """Whether a claim was not found again, or something could not be graded."""
    return bool(report.disagreements) or not report.attempts or any("could not" in text for text in report.obstacles)


def draft(report: RegradeReport) -> str:
    """Title, what was done, every difference, how to repeat it."""
    wrong = report.disagreements
    lines = [
        f"# Challenge: {report.entry}",
        "",
        f"Bundle `{report.bundle_sha256}`, profile {report.profile}, graded again with harness "
        f"{report.harness_version} (engine {report.engine}). {len(wrong)} of {len(report.attempts)} claim(s) were not "
        "found again.",
        "",
    ]
    if wrong:
        lines += [
            "| episode | attempt | metric | claimed | regraded | apart | allowed |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(one) for one in wrong[:MAX_LINES]]
    if len(wrong) > MAX_LINES:
        lines += ["", f"{len(wrong) - MAX_LINES} more are left out here; the command below shows all."]
    if report.obstacles:
        lines += ["", "Noted while grading:", ""]
        lines += [f"- {code(text)}" for text in report.obstacles[:MAX_LINES]]
    return "\n".join([*lines, "", *_again(report.entry)])


def draft_broken(entry: str, error: GymboardError) -> str:
    """The evidence does not even hold: what failed, in the error's own words."""
    said = [f"# Challenge: {code(entry)}", "", "The entry's evidence does not hold:", "", f"- {code(str(error))}", ""]
    return "\n".join([*said, *_again(entry)])


def _row(one: Regraded) -> str:
    measured = one.measured.metrics.get(one.metric)
    numbers = (one.claimed, measured, one.difference, one.allowed)
    shown = " | ".join("-" if number is None else f"{number:.6g}" for number in numbers)
    return f"| {one.task}/seed-{one.seed} | {one.attempt} | {code(one.metric)} | {shown} |"


def _again(entry: str) -> list[str]:
    repeat = f"gymboard challenge submissions/{entry} --signers their.keys"
    return ["To repeat it, in a clone of the board:", "", code(repeat), ""]
