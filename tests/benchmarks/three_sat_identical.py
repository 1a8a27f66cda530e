"""Do identical heuristics differ on three-sat? Arguments: [docker|local] [smoke|official] [gradings] (docker smoke 100)

Grades the untouched starter again and again on fresh instances, a line each as it ends. Prints target and measured:
within each grading the two identical heuristics lie closer than the threshold, max(0.05, 5 standard errors); none is an
improvement; and each grading agrees with the next, whose threshold holds the standard errors of both.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from math import hypot
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Literal, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness import images
from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.gain import RELATIVE_NOISE, sigmas
from harness.schema.task import ProfileName, load_task, tasks_root

FOLDER = tasks_root() / "three-sat"
STARTER = (FOLDER / "starter" / "baseline.py").read_bytes()


def threshold(*stderr: float) -> float:
    return max(RELATIVE_NOISE, sigmas(RELATIVE_NOISE) * hypot(*stderr))


def graded(engine: Engine, profile: ProfileName) -> tuple[float, float, float]:
    """relative_time, its standard error, seconds."""
    job = GradeJob(load_task(FOLDER), FOLDER, profile, "sealed", {"heuristic.py": STARTER}, os.urandom(32))
    verdict = grade_play(job, engine)
    assert verdict.valid, verdict.invalid
    return verdict.metrics["relative_time"], verdict.stderr["relative_time"], verdict.duration_s


def main(kind: str = "docker", profile: str = "smoke", gradings: str = "100") -> None:
    images.build("cpu", None, print) if kind == "docker" else images.environment("cpu", print)
    found = []
    with open_engine(cast(Literal["docker", "local"], kind)) as engine:
        for number in range(int(gradings)):
            found.append(graded(engine, cast(ProfileName, profile)))
            print(f"{number + 1}: {found[-1][0]:.4f} +- {found[-1][1]:.4f}, {found[-1][2]:.1f} s", flush=True)
    values, errors, seconds = zip(*found, strict=True)
    apart = sum(abs(value - 1) < threshold(error) for value, error, _ in found)
    better = sum(value < 1 - threshold(error) for value, error, _ in found)
    pairs = list(pairwise(found))
    agree = sum(abs(one[0] - two[0]) < threshold(one[1], two[1]) for one, two in pairs)
    print(f"{kind} {profile}: mean {fmean(values):.4f}, sd {stdev(values):.4f}, {min(values):.4f} to {max(values):.4f}")
    real = stdev((value - 1) / error for value, error, _ in found)
    print(f"  the spread in stated standard errors: target <= 1, measured {real:.2f}")
    print(f"  stated standard error: median {median(errors):.4f}; a grade: median {median(seconds):.1f} s")
    print(f"  identical heuristics closer than the threshold: target {len(found)}, measured {apart} of {len(found)}")
    print(f"  the starter an improvement over itself: target 0, measured {better} of {len(found)}")
    print(f"  a grading agrees with the next: target {len(pairs)}, measured {agree} of {len(pairs)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
