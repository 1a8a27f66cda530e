"""What Compare and What if ask of a reader: bytes of scores and of scripts, and how long a new ranking takes.

Synthetic boards of 50, 1,000 and 10,000 entries (arguments: other sizes); prints target against measured. Bytes are
gzipped. Times are of Chromium on this machine at full speed and throttled four times, the median of nine.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import tempfile
import time
from pathlib import Path

from scoring.build import build
from scoring.publish.join import joined
from scoring.publish.scores import write_scores
from scoring.publish.shrink import shrunk
from scoring.records import board_record
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season
from tests.site.browser import chromium
from tests.site.test_parity import MODULES, module_page

OWN = 12
TIMED = """async () => {
  const { measure } = await import("./score.js");
  const { boards } = JSON.parse(await (await fetch("scores.json")).text(), (_, value) => value ?? NaN);
  const times = [];
  for (let turn = 0; turn < 9; turn += 1) {
    const start = performance.now();
    measure(boards[0], { drop: [boards[0].tasks[turn].id], tau: 1 + turn / 10 });
    times.push(performance.now() - start);
  }
  return times;
}"""


def main(*sizes: str) -> None:
    script = joined({path.stem: path.read_text(encoding="utf-8") for path in sorted(MODULES.glob("*.js"))})
    print(f"the one script as served, KB: {_gzipped(shrunk('text/javascript', script).encode()):.2f}   target: {OWN}")
    for size in map(int, sizes or ("50", "1000", "10000")):
        with tempfile.TemporaryDirectory() as work:
            _one(Path(work), size)


def _one(work: Path, size: int) -> None:
    write_board(work / "submissions", size, 1)
    write_season(work / "season.toml")
    season = Season.from_toml((work / "season.toml").read_text(encoding="utf-8"))
    with build(work / "submissions", season=season, readings=("season",)) as built:
        board = board_record(built.facts.db, built.rankings[0])
    assets = work / "js"
    assets.mkdir()
    start = time.process_time()
    write_scores([board], assets)
    spent = time.process_time() - start
    others = list((assets / "scores").glob("*.json"))
    print(f"{size} entries")
    print(f"  scores.json, KB        {_packed(assets / 'scores.json'):9.1f}   target: about 1,000")
    print(
        f"  files beside it        {len(others):9}   of {statistics.mean(map(_packed, others)) if others else 0:.2f} KB"
    )
    print(f"  written in, CPU s      {spent:9.2f}")
    with chromium() as browser, module_page(browser, work) as page:
        for throttle in (1, 4):
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": throttle})
            took = statistics.median(page.evaluate(TIMED))
            print(f"  ranked anew at {throttle}x, ms   {took:9.1f}   target: {50 * (1 if throttle == 1 else 2)}")


def _packed(path: Path) -> float:
    return _gzipped(path.read_bytes())


def _gzipped(data: bytes) -> float:
    return len(gzip.compress(data, mtime=0)) / 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
