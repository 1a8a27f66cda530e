"""What does a build of the site take, and how large is it? Arguments: numbers of entries (5 300 1000).

Copies the committed imports under new names with other values, builds each size in a process of its own, prints target
against measured (targets are for 1,000 entries). Charts are always cold: nothing is cached between builds.
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from harness.schema.bundle import Bundle
from harness.schema.task import load_tasks
from scoring.build import build, leaderboard
from scoring.export import export
from scoring.load import Bundles, load_bundle
from scoring.publish.build import build_site

COMMITTED = Path(__file__).resolve().parents[2] / "submissions"
TARGETS = {
    "site, seconds": "8 (cold charts)",
    "peak memory, MB": "500 (10,000 entries)",
    "site, MB": "40",
    "home, KB gzipped": "130 with the theme, before the tables' data",
    "home, elements": "2,000",
}


def main(*sizes: str) -> None:
    for size in sizes or ("5", "300", "1000"):
        done = subprocess.run([sys.executable, __file__, "--one", size], check=True, stdout=subprocess.PIPE, text=True)
        print(f"{size} entries")
        for name, value in json.loads(done.stdout).items():
            target = f"   target at 1,000: {TARGETS[name]}" if name in TARGETS else ""
            print(f"  {name:24}{value:>10}{target}")


def one(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as work:
        folder, out = Path(work) / "submissions", Path(work) / "site"
        _entries(folder, size)
        start = time.perf_counter()
        built_from = build(folder)
        records = leaderboard(built_from)
        scored = time.perf_counter()
        write = partial(export, built_from)
        home = build_site(records, load_tasks(), out, loaded=Bundles(folder), tables=write).read_bytes()
        built = time.perf_counter()
        return {
            "score, seconds": round(scored - start, 2),
            "site, seconds": round(built - scored, 2),
            "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "site, MB": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6, 1),
            "entry page, KB": round((out / "entries" / "entry-0.html").stat().st_size / 1e3, 1),
            "home, KB gzipped": round((len(gzip.compress(home)) + _assets(out)) / 1e3, 1),
            "home, elements": home.count(b"<") - home.count(b"</"),
        }


def _assets(out: Path) -> int:
    """What home asks for besides itself: style sheets, the theme's bundle and our script."""
    files = [*out.glob("assets/**/*.css"), *out.glob("assets/javascripts/bundle*.js"), *out.glob("assets/*.js")]
    return sum(len(gzip.compress(path.read_bytes())) for path in files)


def _entries(folder: Path, size: int) -> None:
    draw = random.Random(0)
    originals = [load_bundle(place.parent).bundle for place in sorted(COMMITTED.glob("*/bundle.json"))]
    for number in range(size):
        bundle = _other(originals[number % len(originals)], number, draw.uniform(0.9, 1.1))
        place = folder / bundle.entry.id
        place.mkdir(parents=True)
        (place / "bundle.json").write_bytes(bundle.canonical())


def _other(bundle: Bundle, number: int, factor: float) -> Bundle:
    tree = json.loads(bundle.canonical())
    tree["entry"] |= {"id": f"entry-{number}", "model_label": f"Model {number}"}
    tree["audit"] = []
    for episode in tree["episodes"]:
        for attempt in episode["attempts"]:
            attempt["published"] = {name: value * factor for name, value in attempt.get("published", {}).items()}
    return Bundle.from_json(json.dumps(tree).encode(), subject=f"entry-{number}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(int(sys.argv[2]))))
    else:
        main(*sys.argv[1:])
