"""One reading process: `python -m scoring.facts.worker FOLDER NAME QUEUE`, started by scoring.facts.pool.

Takes the cases in FOLDER/cases.json and their numbers from the pipe QUEUE, writes the segment FOLDER/NAME and, last,
FOLDER/NAME.json with the outcomes. Never touches the cache itself; what it leaves when it is killed, nobody reads.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from scoring.facts.evidence import Case, Standing
from scoring.facts.segment import Writer
from scoring.facts.work import claimed, settle

CASES = "cases.json"


def main(folder: Path, name: str, queue: int) -> None:
    """Read until the queue is empty."""
    gc.disable()  # records make no cycles, and the process is short
    cases = [
        Case(place, entry, {sha: _standing(*fields) for sha, fields in known}, private)
        for place, entry, known, private in json.loads((folder / CASES).read_bytes())
    ]
    writer = Writer(folder / name)
    outcomes = settle(cases, claimed(queue), writer)
    writer.close()
    (folder / f"{name}.json.part").write_text(json.dumps(list(outcomes.items())), encoding="utf-8")
    (folder / f"{name}.json.part").rename(folder / f"{name}.json")


def _standing(included: bool, key: str | None, verdicts: list[str], *more: str | None) -> Standing:
    """A standing whose one tuple has become a list on its way."""
    return Standing(included, key, tuple(verdicts), *more)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
