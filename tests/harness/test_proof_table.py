"""The table of `tasks check`: what failed is seen in its task's row, and nothing untried counts as stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cli.common import table
from harness.cli.proofs import COLUMNS, WIDTH, Proof, advice, failures, line, row, untried
from harness.proof import Finding, doubt
from harness.schema.task import load_tasks

GOOD = [
    Finding("a-task", "baseline", True, "score", 0.51234, 0.0123),
    Finding("a-task", "oracle", True, "gain", 1.0),
    Finding("a-task", "nop", True, "nothing", detail="it does not exist"),
    Finding("a-task", "exploit one", True, "refused"),
    Finding("a-task", "exploit two", True, "no-gain", 0.1),
]
GAIN = Finding("a-task", "exploit three", False, "gain", 0.9, 0.01, "expected no-gain")


def cells(proof: Proof) -> dict[str, str]:
    return dict(zip(COLUMNS, row(proof), strict=True))


def test_a_proven_task_is_one_row() -> None:
    assert cells(Proof(GOOD, [], 90.0)) == {
        "task": "a-task",
        "baseline": "0.5123 +- 0.012",
        "oracle": "1",
        "nop": "nothing",
        "buggy": "-",
        "exploits": "2 of 2",
        "untried": "-",
        "min": "1.5",
        "proven": "yes",
    }


def test_one_exploit_that_gains_is_named_and_unproves_the_task() -> None:
    proof = Proof([*GOOD, GAIN], ["four"], 1.0)
    found = cells(proof)
    assert (found["exploits"], found["untried"], found["proven"]) == ("FAIL 2 of 3", "1", "NO")
    assert failures([Proof(GOOD, [], 1.0), proof]) == [GAIN]
    said = advice(GAIN, "--profile smoke --sandbox local")
    assert said.startswith("FAILED: a-task: exploit three: gain 0.9 +- 0.01\n")
    assert said.endswith("again: gymboard tasks check a-task --profile smoke --sandbox local")
    assert untried(proof) == "untried: a-task: four (only --sandbox docker claims to stop them)"


@pytest.mark.parametrize("error, unsure", [(0.001, False), (0.02, True)])
def test_a_score_above_the_starter_by_less_than_its_error_is_told_as_such(error: float, unsure: bool) -> None:
    task = load_tasks()["house-price"]
    assert bool(doubt(task, (0.90, error), (0.88, 0.0))) == unsure
    assert doubt(task, (0.87, error), (0.88, 0.0)) == ""


def test_each_failure_stands_in_its_own_cell() -> None:
    wrong = [
        Finding("a-task", "baseline", False, "score", 0.2),
        Finding("a-task", "oracle", False, "nothing"),
        Finding("a-task", "nop", False, "score", 0.3),
        Finding("a-task", "starter buggy", False, "no-gain", 0.5, dataset="other"),
    ]
    found = cells(Proof(wrong, [], 1.0))
    shown = [found[column] for column in ("baseline", "oracle", "nop", "buggy", "proven")]
    assert shown == ["FAIL 0.2", "FAIL nothing", "FAIL 0.3", "FAIL 0.5", "NO"]


def test_a_task_without_findings_is_not_proven() -> None:
    assert not Proof([], [], 0.0).passed


def test_a_line_fits_and_one_that_failed_says_everything() -> None:
    reason = " ".join(["the audit does not confirm the claims"] * 20)
    passed = Finding("battle-of-sexes", "exploit leave-before-the-audit", True, "invalid", detail=reason)
    failed = replace(passed, passed=False)
    assert len(line(passed)) == WIDTH
    assert line(passed).endswith("...")
    assert max(map(len, line(failed).splitlines())) <= WIDTH
    assert " ".join(line(failed).split()).endswith(reason)


def test_the_table_of_all_tasks_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """With the longest names and the widest values that a task has."""
    proofs = []
    for name, spec in load_tasks().items():
        for dataset in (None, *spec.datasets):
            made = [
                Finding(name, "baseline", True, "score", -0.24788, 0.009632, dataset=dataset),
                Finding(name, "oracle", True, "gain", -0.64671, 0.02, dataset=dataset),
                Finding(name, "nop", True, "nothing", dataset=dataset),
                Finding(name, "starter buggy", True, "invalid", dataset=dataset),
                *[Finding(name, f"exploit {number}", True, "invalid", dataset=dataset) for number in range(20)],
            ]
            proofs.append(Proof(made, ["one", "two"], 5999.0))
    table("the table", COLUMNS, map(row, proofs))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(proofs) + 2, "no cell is folded"
    assert max(map(len, lines)) <= WIDTH
    assert [text.split()[0] for text in lines[2:]] == [row(proof)[0].strip() for proof in proofs]
