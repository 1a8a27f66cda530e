"""GB309: a payload whose trajectory shows something else than the bundle's trace, however it hides it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.check import check
from harness.pack import pack
from tests.harness.sign.builder import ENTRY, SUBMITTER

Steps = list[dict[str, Any]]
KEY = "tiny-play/seed-0"
"""Its trace is BAAU: steps[0] is the instruction, steps[4] the agent's own submit."""


def found(run: Path, tasks: Path, *changes: Callable[[Any], None]) -> list[str]:
    """What GB309 says of a run whose trajectory and episode its owner changed before packing."""
    for name, change in zip(("trajectory.json", "episode.json"), changes, strict=False):
        file = run / KEY / name
        tree = json.loads(file.read_bytes())
        change(tree)
        file.write_text(json.dumps(tree))
    out = run.parent / ENTRY.id
    pack(run, out, ENTRY, SUBMITTER, tasks=tasks)
    return [str(problem) for problem in check(out, root=tasks) if "GB309" in problem.message]


def steps(change: Callable[[Steps], object]) -> Callable[[Any], None]:
    def apply(tree: Any) -> None:
        change(tree["steps"])

    return apply


def handed_in_by_the_harness(steps: Steps) -> None:
    steps[4]["extra"]["gymboard"]["by"] = "harness"


def one_step_less(tree: Any) -> None:
    tree.update(steps=3, trace="BAA", actions={"Bash": 1, "Validate": 2})


def idle(tree: Any) -> None:
    tree.update(trace="-AAU", actions={"Validate": 2, "Submit": 1})


def test_what_the_harness_handed_in_at_a_limit_is_no_step(run: Path, tasks: Path) -> None:
    assert found(run, tasks, steps(handed_in_by_the_harness), one_step_less) == []


def test_a_step_that_called_nothing_is_a_dash(run: Path, tasks: Path) -> None:
    assert found(run, tasks, steps(lambda steps: steps[1].pop("tool_calls")), idle) == []


def call(**fields: Any) -> Callable[[Steps], None]:
    return lambda steps: steps[1]["tool_calls"][0].update(fields)


def nested() -> Any:
    tree: Any = "x"
    for _ in range(200):
        tree = {"x": tree}
    return tree


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda steps: steps[1]["extra"]["gymboard"].update(by="harness"), None),
        (lambda steps: steps[4]["extra"]["gymboard"].update(by="harness"), "has 4 steps; the trajectory shows 3"),
        (lambda steps: steps.pop(1), "says 'B' at step 1; the trajectory shows 'A'"),
        (lambda steps: steps[1].update(source="user"), "says 'B' at step 1; the trajectory shows 'A'"),
        (lambda steps: steps.append(steps[4]), "has 4 steps; the trajectory shows 5"),
        (call(function_name="write", arguments={"path": "a"}), "says 'B' at step 1; the trajectory shows 'E'"),
        (call(arguments={"command": "ls"}), "says 'B' at step 1; the trajectory shows 'V'"),
        (lambda steps: steps[1]["tool_calls"].append(steps[2]["tool_calls"][0]), "step 2 has 2 calls"),
        (call(function_name="python"), "cannot be compared"),
        (call(arguments={"command": "make", "kind": "submit"}), None),
        (call(arguments={"command": ["make"]}), "cannot be compared"),
        (call(arguments={"data": "not base64!"}), "cannot be compared"),
        (call(arguments={"command": "\ud800"}), "cannot be compared"),
        (call(arguments={"command": nested()}), "cannot be compared"),
        (lambda steps: steps.clear(), "cannot be compared"),
    ],
)
def test_another_story_is_found(run: Path, tasks: Path, change: Callable[[Steps], object], says: str | None) -> None:
    problems = found(run, tasks, steps(change))
    assert len(problems) == (says is not None)
    assert all(says is not None and says in one and "episodes[0].trace" in one for one in problems)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"null", b"[" * 100_000, b'{"steps": [1e999]}'])
def test_what_is_no_trajectory_is_said_and_nothing_raises(run: Path, tasks: Path, data: bytes) -> None:
    (run / KEY / "trajectory.json").write_bytes(data)
    [problem] = found(run, tasks)
    assert "cannot be compared" in problem and len(problem) < 1000


def test_a_trajectory_too_large_to_read_is_not_read(run: Path, tasks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.check.trace.MAX_TRAJECTORY_BYTES", 1000)
    problems = found(run, tasks)
    assert len(problems) == 4 and all("is over 1000 bytes" in problem for problem in problems)
