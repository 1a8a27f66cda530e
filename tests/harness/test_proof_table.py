"""The table of `tasks check`: what failed is seen in its task's row, and nothing untried counts as stopped."""

from __future__ import annotations

from harness.cli.proofs import COLUMNS, Proof, failures, row
from harness.proof import Finding

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
        "buggy starter": "-",
        "exploits": "2 of 2 stopped",
        "not tried": "-",
        "minutes": "1.5",
        "proven": "yes",
    }


def test_one_exploit_that_gains_is_named_and_unproves_the_task() -> None:
    proof = Proof([*GOOD, GAIN], ["four"], 1.0)
    found = cells(proof)
    assert (found["exploits"], found["not tried"], found["proven"]) == ("2 of 3 stopped; FAIL three", "1", "NO")
    assert failures([Proof(GOOD, [], 1.0), proof]) == [GAIN]


def test_each_failure_stands_in_its_own_cell() -> None:
    wrong = [
        Finding("a-task", "baseline", False, "score", 0.2),
        Finding("a-task", "oracle", False, "nothing"),
        Finding("a-task", "nop", False, "score", 0.3),
        Finding("a-task", "starter buggy", False, "no-gain", 0.5, dataset="other"),
    ]
    found = cells(Proof(wrong, [], 1.0))
    shown = [found[column] for column in ("baseline", "oracle", "nop", "buggy starter", "proven")]
    assert shown == ["FAIL 0.2", "FAIL nothing", "FAIL 0.3", "FAIL 0.5", "NO"]


def test_a_task_without_findings_is_not_proven() -> None:
    assert not Proof([], [], 0.0).passed
