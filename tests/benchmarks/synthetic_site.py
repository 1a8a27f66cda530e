"""The site of a made-up board, built as it is published, in a process of its own, and what the build took.

Takes a size and a folder, leaves submissions/, season.toml and site/ in it and gives figures by name. As a script:
`synthetic_site.py SIZE FOLDER`, one JSON object on standard output.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

PLACE = "https://files.example/board/commit/submissions"


def built(size: int, folder: Path) -> dict[str, float]:
    """Build the board's site in four ways; figures of each by its name. `cold`: nothing is kept anywhere; `warm`: what
    that build kept; `more`: the same, and one entry more; `charts`: all drawings and pages are gone, and facts, tables
    and Vega's script are there. Of up to a thousand entries all but `cold` are medians of three."""
    from tests.benchmarks.tree_memory import ran

    if not (folder / "season.toml").exists():
        from tests.benchmarks.synthetic import write_board, write_season

        write_board(folder / "submissions", size, seed=0)
        write_season(folder / "season.toml")
    environment = {**os.environ, "GYMBOARD_HOME": str(folder / "home")}
    command = [sys.executable, __file__, str(size), str(folder)]
    figures: dict[str, float] = {}
    drawings = ("scoring/drawn.sqlite*", "scoring/site-*.json")
    for kind, gone in (("cold", ("**/*",)), ("warm", ()), ("more", ()), ("charts", drawings)):
        rounds = []
        for number in range(1 if kind == "cold" or size > 1000 else 3):
            for file in (file for pattern in gone for file in (folder / "home").glob(pattern) if file.is_file()):
                file.unlink()
            with _one_more(folder / "submissions", size + number) if kind == "more" else nullcontext():
                done = ran(command, environment)
            rounds.append(json.loads(done.output) | {"peak, MB": done.tree, "largest process, MB": done.process})
        figures |= {f"{kind} {name}": statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return figures


@contextmanager
def _one_more(submissions: Path, index: int) -> Iterator[None]:
    from scoring.ledger import LEDGER, VERDICTS
    from tests.benchmarks.synthetic import write_more

    def there() -> set[Path]:
        return {*submissions.iterdir(), *(submissions / VERDICTS).iterdir()}

    ledger, before = (submissions / LEDGER).read_bytes(), there()
    write_more(submissions, index, seed=0)
    try:
        yield
    finally:
        (submissions / LEDGER).write_bytes(ledger)
        for new in there() - before:
            shutil.rmtree(new) if new.is_dir() else new.unlink()


def one(folder: Path) -> dict[str, float]:
    """One build, in this process."""
    from scoring.build import build, leaderboard
    from scoring.publish import preview
    from scoring.yardstick import Season

    season = Season.from_toml((folder / "season.toml").read_text(encoding="utf-8"), subject="season.toml")
    begun = time.perf_counter()
    with build(folder / "submissions", season=season, sparing=True) as built:
        records = leaderboard(built)
        scored = time.perf_counter()
        preview.publish(built, records, folder / "submissions", folder / "site", place=PLACE)
    done = time.perf_counter()
    files = [path for path in (folder / "site").rglob("*") if path.is_file()]
    place = folder / "site"
    pages = [path for path in files if path.is_relative_to(place / "entries")]
    tables = [path for path in files if path.is_relative_to(place / "data")]
    return {
        "score, s": scored - begun,
        "site, s": done - scored,
        "processor, s": sum(os.times()[:4]),
        "site, MB": sum(path.stat().st_size for path in files) / 1e6,
        "pages, MB": sum(path.stat().st_size for path in pages) / 1e6,
        "tables, MB": sum(path.stat().st_size for path in tables) / 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(one(Path(sys.argv[2]))))
