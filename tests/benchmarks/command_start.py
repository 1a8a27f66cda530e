"""How long the command takes to answer: `gymboard --help` and sub-commands, as whole processes.

Run: PYTHONPATH=. python tests/benchmarks/command_start.py [runs]. Prints target against measured, medians of the runs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

TARGET_S = 0.3
CALLS = (["--help"], ["run", "--help"], ["regrade", "--help"], ["rank", "--help"], ["site", "build", "--help"])


def seconds(words: list[str]) -> float:
    """One whole process, wall seconds."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gymboard", *words], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    empty = [sys.executable, "-c", "pass"]
    begun = time.perf_counter()
    subprocess.run(empty, check=True)
    print(f"an empty python process: {time.perf_counter() - begun:.3f} s")
    for words in CALLS:
        seconds(words)
        median = statistics.median(seconds(words) for _ in range(runs))
        verdict = "met" if median <= TARGET_S else "MISSED"
        print(f"gymboard {' '.join(words):<20} target {TARGET_S:.2f} s, measured {median:.3f} s, {verdict}")


if __name__ == "__main__":
    main()
