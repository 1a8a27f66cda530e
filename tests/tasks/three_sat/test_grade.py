"""three-sat through grade_play in real places: the decisions are exact, the time goes where it belongs, cheats fail."""

from __future__ import annotations

import math
import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.grading.play.runtime.draws import Draws
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict
from harness.schema.exploit import Exploit, load_exploits
from harness.schema.task import load_task

from .conftest import FOLDER

SPEC = load_task(FOLDER)
SEED = bytes(range(32))
EXPLOITS = load_exploits(FOLDER)
TRUTH_TABLE = '''
ALL = (1 << 4096) - 1
TABLE = {}
for variable in range(12):
    block = sum(1 << bit for bit in range(4096) if bit >> variable & 1)
    TABLE[variable + 1], TABLE[-variable - 1] = block, ALL ^ block


def heuristic_fn(clauses, assignments, conflict_count, assignment_history, level):
    """Solves the whole formula by one bit for each of 4,096 assignments, and follows the model."""
    left = ALL
    for clause in clauses:
        either = 0
        for literal in clause:
            either |= TABLE[literal]
        left &= either
    variable = abs(clauses[0][0])
    return variable, bool(left and left.bit_length() - 1 >> variable - 1 & 1)
'''


SLICES = int(SPEC.profiles["smoke"].params["slices"])


def grade(engine: Engine, heuristic: bytes, reply_time_s: int = 30, slices: int = SLICES) -> Verdict:
    limits = SPEC.limits.model_copy(update={"reply_time_s": reply_time_s})
    smoke = SPEC.profiles["smoke"]
    smoke = smoke.model_copy(update={"params": {**smoke.params, "slices": slices}})
    task = SPEC.model_copy(update={"limits": limits, "profiles": {**SPEC.profiles, "smoke": smoke}})
    return grade_play(GradeJob(task, FOLDER, "smoke", "sealed", {"heuristic.py": heuristic}, SEED), engine)


def decisions_here(grader: SimpleNamespace, heuristic: Path, slices: int = SLICES) -> float:
    """The mean number of decisions, found without any player, for SEED and the smoke profile."""
    function = runpy.run_path(str(heuristic))["heuristic_fn"]
    params = SPEC.profiles["smoke"].params
    found: list[int] = []
    for index in range(slices):
        formulas = grader.instances.random_formulas(Draws(SEED, f"slice {index}"), int(params["instances_per_slice"]))
        solved = grader.lockstep.solve_all(
            formulas,
            lambda questions: [
                function(q.clauses, q.assignments, q.conflict_count, q.assignment_history, q.level) for q in questions
            ],
        )
        found += [solution.decisions for solution in solved.solutions]
    return sum(found) / len(found)


def no_gain(verdict: Verdict) -> bool:
    """The task's own rule: nothing counts above 1 - max(0.05, 5 standard errors)."""
    return verdict.metrics["relative_time"] >= 1 - max(0.05, 5 * verdict.stderr["relative_time"])


def test_starter_is_one_and_decides_exactly_as_here(engine: Engine, grader: SimpleNamespace) -> None:
    """Three times as much work as a smoke grade: a neighbour's burst was a quarter of a smaller one."""
    path = FOLDER / "starter" / "baseline.py"
    verdict = grade(engine, path.read_bytes(), slices=3 * SLICES)
    assert verdict.valid, verdict.invalid
    assert verdict.metrics["decisions"] == decisions_here(grader, path, 3 * SLICES)
    assert verdict.metrics["relative_time"] == pytest.approx(1.0, abs=SPEC.grader.regrade_tolerance)
    assert 0 < verdict.stderr["relative_time"] < 0.1
    assert (verdict.n, verdict.seed) == (7200, SEED.hex())


def test_identical_heuristics_do_not_differ(engine: Engine) -> None:
    """Two gradings of the starter; a hundred of them are tests/benchmarks/three_sat_identical.py."""
    starter = (FOLDER / "starter" / "baseline.py").read_bytes()
    first, second = (grade(engine, starter) for _ in range(2))
    for one, other in ((first, None), (second, None), (first, second)):
        apart = one.metrics["relative_time"] - (other.metrics["relative_time"] if other else 1.0)
        stated = [verdict.stderr["relative_time"] for verdict in (one, other) if verdict]
        assert abs(apart) < max(0.05, 5 * math.hypot(*stated)), (first, second)


def test_oracle_beats_the_threshold(engine: Engine, grader: SimpleNamespace) -> None:
    path = FOLDER / "grader" / "oracle" / "heuristic.py"
    verdict = grade(engine, path.read_bytes())
    assert verdict.valid, verdict.invalid
    assert verdict.metrics["decisions"] == decisions_here(grader, path)
    assert not no_gain(verdict)
    assert verdict.metrics["relative_time"] < 0.85


def test_solving_the_formula_inside_is_fair_and_pays_in_time(engine: Engine, grader: SimpleNamespace) -> None:
    """Unsatisfiable formulas must still be searched by the referee, so a solver inside ends no search early."""
    verdict = grade(engine, TRUTH_TABLE.encode())
    assert verdict.valid, verdict.invalid
    assert 3 < verdict.metrics["decisions"] < decisions_here(grader, FOLDER / "starter" / "baseline.py")


def test_imports_count(engine: Engine) -> None:
    """A second of work before the first question is in the ratio."""
    starter = (FOLDER / "starter" / "baseline.py").read_bytes()
    slow = b"import time\nwhile time.process_time() < 1.0:\n    pass\n" + starter
    assert grade(engine, slow).metrics["relative_time"] > 1.5


@pytest.mark.parametrize("exploit", EXPLOITS, ids=lambda exploit: exploit.name)
def test_exploit_fails(engine: Engine, exploit: Exploit, tmp_path: Path) -> None:
    if exploit.spec.needs == "docker" and engine.kind != "docker":
        pytest.skip("counted by the container's cgroup only")
    shutil.copytree(FOLDER / "starter", tmp_path, dirs_exist_ok=True)
    for name, content in exploit.files.items():
        (tmp_path / name).write_bytes(content)
    subprocess.run(exploit.spec.run, shell=True, cwd=tmp_path, check=True)
    verdict = grade(engine, (tmp_path / "heuristic.py").read_bytes(), reply_time_s=5)
    if exploit.spec.expect == "invalid":
        assert verdict.invalid
    else:
        assert verdict.valid, verdict.invalid
        assert no_gain(verdict), verdict
