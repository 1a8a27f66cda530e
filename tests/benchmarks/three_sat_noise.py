"""How noisy is three-sat's relative time? Arguments: [docker|local] [official|smoke] [repeats].

Grades the untouched starter and the oracle several times on fresh instances; prints target against measured, what a
grade costs, and which share of the starter's time is message handling. Asserts nothing.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal, cast

from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.grading.play.runtime import Message, wire
from harness.grading.play.runtime.adapter_function import FunctionAdapter
from harness.grading.play.runtime.draws import Draws
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.task import ProfileName, load_task

FOLDER = Path(__file__).resolve().parents[2] / "tasks" / "three-sat"
HEURISTICS = {"starter": FOLDER / "grader" / "reference", "oracle": FOLDER / "grader" / "oracle"}


def main(kind: str = "docker", profile: str = "official", repeats: str = "5") -> None:
    with open_engine(cast(Literal["docker", "local"], kind)) as engine:
        for name, folder in HEURISTICS.items():
            _grades(engine, name, (folder / "heuristic.py").read_bytes(), cast(ProfileName, profile), int(repeats))
    for name, folder in HEURISTICS.items():
        _shares(name, folder)


def _grades(engine: Engine, name: str, heuristic: bytes, profile: ProfileName, repeats: int) -> None:
    spec = load_task(FOLDER)
    verdicts = [
        grade_play(GradeJob(spec, FOLDER, profile, "sealed", {"heuristic.py": heuristic}, os.urandom(32)), engine)
        for _ in range(repeats)
    ]
    values = [verdict.metrics["relative_time"] for verdict in verdicts]
    errors = [verdict.stderr["relative_time"] for verdict in verdicts]
    print(f"{engine.kind} {profile} {name}: relative_time {' '.join(f'{value:.4f}' for value in values)}")
    print(f"  mean {fmean(values):.4f}, spread (sd) {stdev(values):.4f}")
    print(f"  stated stderr {' '.join(f'{error:.4f}' for error in errors)}: target <= 0.02, measured {max(errors):.4f}")
    seconds = [verdict.duration_s for verdict in verdicts]
    print(f"  decisions {fmean(verdict.metrics['decisions'] for verdict in verdicts):.3f}, n {verdicts[0].n}")
    print(f"  one grade: target <= 180 s, measured {min(seconds):.1f} to {max(seconds):.1f} s", flush=True)


def _shares(name: str, folder: Path) -> None:
    """CPU time an instance by kind of work, in this process, without sockets."""
    sys.path.insert(0, str(FOLDER / "grader"))
    from instances import random_formulas
    from lockstep import solve_all

    adapter, spent = FunctionAdapter(folder), {"messages": 0.0, "heuristic": 0.0}
    start = {"file": "heuristic.py", "function": "heuristic_fn", "seed": 0, "int_keys": [1, 2]}
    adapter.answer(Message("start", 0, start))
    function = adapter._function

    def timed(*call: Any) -> Any:
        before = time.perf_counter()
        answer = function(*call)
        spent["heuristic"] += time.perf_counter() - before
        return answer

    def ask(questions: list[Any]) -> Any:
        calls = [(q.clauses, q.assignments, q.conflict_count, q.assignment_history, q.level) for q in questions]
        frame = wire.pack("call", 1, {"calls": calls})
        head = wire.HEADER.size + wire.lengths(frame[: wire.HEADER.size])[0]
        before, within = time.perf_counter(), spent["heuristic"]
        meta, _ = adapter.answer(wire.unpack(frame[: wire.HEADER.size], frame[wire.HEADER.size : head], frame[head:]))
        reply = wire.pack("reply", 1, meta)
        spent["messages"] += time.perf_counter() - before - (spent["heuristic"] - within)
        return json.loads(reply[wire.HEADER.size :])["meta"]["results"]

    adapter._function = timed
    gc.disable()
    draws = (Draws(b"n" * 32, f"slice {index}") for index in range(10))
    spent["propagation"] = sum(solve_all(random_formulas(each, 600), ask).propagation_s for each in draws)
    total = sum(spent.values())
    shares = ", ".join(
        f"{kind} {seconds / 6000 * 1e6:.0f} us ({seconds / total:.0%})" for kind, seconds in spent.items()
    )
    print(f"{name}, an instance: {shares}")


if __name__ == "__main__":
    main(*sys.argv[1:])
