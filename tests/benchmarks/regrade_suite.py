"""Regrading a full smoke bundle of all thirteen tasks against ten minutes on two cores.

Run: `python tests/benchmarks/regrade_suite.py [docker|local] [ENTRY SIGNERS]` (default: what answers, and an entry made
here: the untouched starters, one seed, packed and signed). Prints the plan that `gymboard regrade --plan` gives, then
the seconds of each task's grades as the report states them, and the whole command against its target and the plan's
word. Image builds and the run are apart. Exits 1 when the target is missed.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.cli.images import ensure
from harness.sandbox import open_engine
from harness.schema.regrade import RegradeReport
from harness.schema.task import load_tasks
from harness.signing import make_demo_key

TARGET_S = 600.0
ROOT = Path(__file__).resolve().parents[2]


def gymboard(*words: str) -> tuple[float, str]:
    """Wall seconds and output of one command that must end well."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "gymboard", *words]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"gymboard {' '.join(words)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return time.perf_counter() - begun, ended.stdout


def make_entry(folder: Path, sandbox: str) -> tuple[Path, Path]:
    """The untouched starters of all tasks, one seed: (entry, signers)."""
    key = make_demo_key(folder / "keys")
    run = ["run", "--tasks", "all", "--profile", "smoke", "--seeds", "1", "--sandbox", sandbox]
    took, _ = gymboard(*run, "--runs", str(folder / "runs"), "--run", "all")
    print(f"(the run itself took {took:.0f} s)")
    entry = folder / "smoke-suite"
    gymboard("pack", str(folder / "runs" / "all"), str(entry), "--submitter", "local")
    gymboard("sign", str(entry), "--key", str(key))
    return entry, key.with_suffix(".pub")


def measured(report: RegradeReport) -> None:
    """A line a task: grades, and their seconds."""
    print(f"{'task':<20}{'grades':>8}{'seconds':>10}")
    for task in sorted({one.task for one in report.attempts}):
        found = [one for one in report.attempts if one.task == task and not one.cached]
        print(f"{task:<20}{len(found):>8}{sum(one.measured.duration_s for one in found):>10.1f}")


def main() -> int:
    words = sys.argv[1:]
    with open_engine(words[0] if words else "auto") as engine:  # type: ignore[arg-type]
        kind = engine.kind
    for family in sorted({task.image for task in load_tasks().values()}):
        ensure(family, kind)
    load = os.getloadavg()[0]
    print(f"# regrade of a smoke bundle, {kind}; {platform.platform()}, {os.cpu_count()} cores, load {load:.1f} before")
    with tempfile.TemporaryDirectory() as made:
        entry, signers = (Path(words[1]), Path(words[2])) if len(words) > 2 else make_entry(Path(made), kind)
        print(gymboard("regrade", str(entry), "--plan")[1])
        planned = json.loads(gymboard("regrade", str(entry), "--plan", "--json")[1])
        took, out = gymboard("regrade", str(entry), "--sandbox", kind, "--signers", str(signers), "--json")
        measured(RegradeReport.from_json(out))
    estimate = sum(one["estimate_s"] or 0.0 for one in planned)
    print(f"{len(planned)} tasks in {took:.0f} s (target <= {TARGET_S:.0f} s); the plan's word was {estimate:.0f} s")
    return int(took > TARGET_S)


if __name__ == "__main__":
    raise SystemExit(main())
