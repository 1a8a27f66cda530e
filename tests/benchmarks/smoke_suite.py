"""The smoke profile of all thirteen tasks against six minutes: what `make demo` does between installation and site.

Run: `python tests/benchmarks/smoke_suite.py [docker|local]` (default: what answers). Types the commands of the demo:
run, pack, sign, verify, check, regrade. Prints seconds by task (episode and sealed grade) and by command. Image builds
are apart. Exits 1 when the target is missed.
"""

from __future__ import annotations

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
from harness.schema.episode import Episode
from harness.schema.task import load_tasks
from harness.signing import make_demo_key

TARGET_S = 360.0
ROOT = Path(__file__).resolve().parents[2]


def gymboard(*words: str) -> float:
    """Wall seconds of one command that must end well."""
    begun = time.perf_counter()
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "gymboard", *words], env=env, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise SystemExit(f"gymboard {' '.join(words)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return time.perf_counter() - begun


def by_task(run: Path) -> None:
    """A line a task: the episode, and the sealed grade after it."""
    print(f"{'task':<20}{'episode s':>12}{'sealed grade s':>16}")
    for file in sorted(run.glob("*/seed-0/episode.json")):
        episode = Episode.from_json(file.read_bytes())
        grades = sum(attempt.sealed.duration_s for attempt in episode.attempts if attempt.sealed)
        print(f"{episode.task:<20}{episode.usage.wall_s or 0:>12.1f}{grades:>16.1f}")


def main() -> int:
    with open_engine((sys.argv[1:] or ["auto"])[0]) as engine:  # type: ignore[arg-type]
        kind = engine.kind
    for family in sorted({task.image for task in load_tasks().values()}):
        ensure(family, kind)
    load = os.getloadavg()[0]
    print(f"# smoke, all tasks, {kind}; {platform.platform()}, {os.cpu_count()} cores, load {load:.1f} before")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        key = make_demo_key(folder)
        runs, entry, signers = str(folder / "runs"), str(folder / "smoke-suite"), folder / "signers"
        signers.write_text(f"local {key.with_suffix('.pub').read_text()}")
        sandbox = ["--sandbox", kind]
        words = [
            "run",
            "--tasks",
            "all",
            "--profile",
            "smoke",
            "--seeds",
            "1",
            *sandbox,
            "--runs",
            runs,
            "--run",
            "all",
        ]
        took = {"run": gymboard(*words)}
        by_task(folder / "runs" / "all")
        took["pack"] = gymboard("pack", f"{runs}/all", entry, "--id", "smoke-suite", "--submitter", "local")
        took["sign"] = gymboard("sign", entry, "--key", str(key))
        took["verify"] = gymboard("verify", entry, "--signers", str(signers))
        took["check"] = gymboard("check", entry)
        took["regrade"] = gymboard("regrade", entry, *sandbox, "--signers", str(signers))
    print("; ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
    total = sum(took.values())
    print(f"together {total:.0f} s (target <= {TARGET_S:.0f} s), run alone {took['run']:.0f} s")
    return int(total > TARGET_S)


if __name__ == "__main__":
    raise SystemExit(main())
