"""How long does it take from bundle files to a ranked board? Arguments: numbers of entries (10 100 1000; or 10000).

Writes a synthetic board of each size and runs `gymboard rank --season FILE --format json` on it as a process of its
own: cold with an empty cache folder, warm with the one that the cold run left, three times each. Prints medians of the
time from files to board (the command within its process, once Python and our modules have loaded; the target is for
that), of the whole process's wall time, of its stages, the peak memory of the process and its children, and targets.
The floor is a process that only reads every bundle with json.loads.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZES = (10, 100, 1000)
RUNS = 3
TARGETS = {(1000, "cold"): 3.0, (1000, "warm"): 1.0, (10_000, "warm"): 5.0}
TARGET_MB = 2048
STAGES = {
    "load": ("scoring.facts.read.read_facts",),
    "tables": ("scoring.tables.choose", "scoring.tables.grid"),
    "numerics": ("scoring.measure.measure",),
    "frames": ("scoring.boards.rank",),
}
"""Stage -> functions whose time it is, without what inner stages take, lower floors first; the rest is `records`.
Calls from other threads than the main one must not be among them."""
COLUMNS = ("start", *STAGES, "records")
FLOOR = """
import json, pathlib, sys
for file in pathlib.Path(sys.argv[1]).glob("*/bundle.json"):
    json.loads(file.read_bytes())
"""


@dataclass(frozen=True)
class Run:
    """One process: wall seconds, of which for the command itself and in which stage, peak MB with its children."""

    wall_s: float
    board_s: float
    stages: dict[str, float]
    peak_mb: float


def main(*sizes: str) -> None:
    print(f"{'entries':>8} {'':6}{'files to board':>15}{'target':>8}  {'':7}{'whole command':>15}", end="")
    print("".join(f"{name:>10}" for name in COLUMNS), f"{'peak MB':>9}")
    for size in [int(size) for size in sizes] or SIZES:
        with tempfile.TemporaryDirectory(prefix="gymboard-scale-") as work:
            _size(Path(work), size)


def _size(work: Path, size: int) -> None:
    from tests.benchmarks.synthetic import write_board, write_season

    folder, season = work / "submissions", work / "season.toml"
    begun = time.perf_counter()
    written = write_board(folder, size, seed=0)
    seconds = time.perf_counter() - begun
    write_season(season)
    floors = [_process([sys.executable, "-c", FLOOR, str(folder)], {}, work / "floor").wall_s for _ in range(RUNS)]
    pairs = [_pair(work / f"home-{number}", folder, season, size) for number in range(RUNS)]
    for name, runs in zip(("cold", "warm"), zip(*pairs, strict=True), strict=True):
        _print(size, name, list(runs))
    print(f"{size:>8} {'floor':6}{statistics.median(floors):>15.2f}  json.loads of every bundle and nothing else")
    parts = written.bundle_bytes / 1e6, written.verdict_bytes / 1e6, written.ledger_bytes / 1e6
    sizes = "{:.1f} MB of bundles, {:.1f} MB of verdicts, {:.2f} MB of ledger".format(*parts)
    print(f"{size:>8} files: {sizes}, written in {seconds:.1f} s")


def _pair(home: Path, folder: Path, season: Path, size: int) -> tuple[Run, Run]:
    """Cold, then warm, in one cache folder of their own. Both must give the same bytes."""
    out = home.with_suffix(".json"), home.with_suffix(".again.json")
    command = [sys.executable, __file__, "--one", str(folder), str(season)]
    cold, warm = (_process(command, {"GYMBOARD_HOME": str(home)}, file) for file in out)
    ranking = out[0].read_bytes()
    if ranking != out[1].read_bytes():
        raise SystemExit("cold and warm differ")
    if missing := [name for name in ("entry-00000", f"entry-{size - 1:05}") if name.encode() not in ranking]:
        raise SystemExit(f"the ranking lacks {', '.join(missing)}")
    for file in out:
        file.unlink()
    return cold, warm


def _print(size: int, name: str, runs: list[Run]) -> None:
    wall, peak = statistics.median(run.wall_s for run in runs), max(run.peak_mb for run in runs)
    board = statistics.median(run.board_s for run in runs)
    target = TARGETS.get((size, name))
    verdict = "" if target is None else "met" if board <= target else "MISSED"
    stages = "".join(f"{statistics.median(run.stages[stage] for run in runs):>10.2f}" for stage in COLUMNS)
    memory = "" if size < 10_000 else " met" if peak <= TARGET_MB else f" MISSED ({TARGET_MB})"
    print(
        f"{size:>8} {name:6}{board:>15.2f}{target or '':>8}  {verdict:7}{wall:>15.2f}{stages} {peak:>9.0f}{memory}",
        flush=True,
    )


def _process(command: list[str], environment: dict[str, str], out: Path) -> Run:
    report = out.with_suffix(".stages")
    begun = time.monotonic()  # one clock for every process of the machine
    environment = {**os.environ, **environment, "SCALE_BEGUN": repr(begun), "SCALE_REPORT": str(report)}
    with out.open("wb") as file, subprocess.Popen(command, stdout=file, env=environment) as process:
        peak = _Peak(process.pid)
        code = process.wait()
        wall = time.monotonic() - begun
        peak.stop()
    if code != 0:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    stages = json.loads(report.read_text()) if report.exists() else {}
    board = stages.pop("board", wall)
    return Run(wall, board, stages | {"records": wall - sum(stages.values())}, peak.bytes / 1e6)


class _Peak:
    """Largest sum of resident bytes of a process and its descendants, looked at every 20 ms: shared pages count in
    each, so it errs upwards."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,))
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self, pid: int) -> None:
        while not self._ended.wait(0.02):
            self.bytes = max(self.bytes, _resident(pid))


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [
            child for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
        ]
    except (OSError, IndexError):
        return 0  # it has just ended
    return pages * os.sysconf("SC_PAGESIZE") + sum(_resident(int(child)) for child in children)


def one(folder: str, season: str) -> None:
    """The process that is timed: the command itself, with clocks around the functions of STAGES."""
    spent: dict[str, float] = {"start": 0.0} | dict.fromkeys(STAGES, 0.0)
    inner: list[float] = []
    for stage, names in STAGES.items():
        for name in names:
            _clock(stage, name, spent, inner)
    import gymboard

    spent["start"] = time.monotonic() - float(os.environ["SCALE_BEGUN"])
    sys.argv = ["gymboard", "rank", "--season", season, "--format", "json", "--submissions", folder]
    begun = time.monotonic()
    try:
        gymboard.main()
    finally:
        spent["board"] = time.monotonic() - begun
        Path(os.environ["SCALE_REPORT"]).write_text(json.dumps(spent))


def _clock(stage: str, name: str, spent: dict[str, float], inner: list[float]) -> None:
    """Replace a function by one that adds its own time to its stage. Before anybody imports it by name."""
    module, function = name.rsplit(".", 1)
    place = importlib.import_module(module)
    timed: Callable[..., Any] = getattr(place, function)

    def clocked(*args: Any, **named: Any) -> Any:
        inner.append(0.0)
        begun = time.monotonic()
        try:
            return timed(*args, **named)
        finally:
            took = time.monotonic() - begun
            spent[stage] += took - inner.pop()
            if inner:
                inner[-1] += took

    setattr(place, function, clocked)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
