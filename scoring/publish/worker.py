"""One process that makes bodies of entries' pages: `python -m scoring.publish.worker JOBS`, started by bodies.

Takes a file of JSON lines, the first about all pages and then one a page; writes each body, packed as it is kept, to
standard output behind its length in eight bytes. Reads bundles; when it ends early its other pages are made by whoever
started it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import BinaryIO

from scoring.garbage import without_gc
from scoring.leaderboard import Board, Flag, Row
from scoring.ledger import LedgerLine
from scoring.load import Bundles
from scoring.publish.entry import Shown, body_slots
from scoring.publish.kept import packed
from scoring.publish.templates import environment
from scoring.publish.texts import Texts

LENGTH = 8


def main(jobs: Path, out: BinaryIO) -> None:
    """Every job, in order."""
    with jobs.open("rb") as lines, without_gc():
        setting = json.loads(next(lines))
        env = environment(Path(setting["templates"]))
        bundles = Bundles(Path(setting["entries"]), counts=setting["counts"])
        boards = [Board.model_validate_json(text) for text in setting["boards"]]
        bases = [text and Row.model_validate_json(text) for text in setting["bases"]]
        known, place = set(setting["known"]), setting["place"]
        for line in lines:
            number, page, row, flags, ledger = json.loads(line)
            shown = Shown(boards[number], Row.model_validate_json(row))
            about = [LedgerLine.model_validate_json(text) for text in ledger]
            second = [Flag.model_validate_json(text) for text in flags]
            body = body_slots(
                env, shown, bundles.get(page), about, known, second, Texts(), place, bases[number] or None
            )
            data = packed(json.dumps(body).encode())
            out.write(len(data).to_bytes(LENGTH, "big") + data)
            out.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdout.buffer)
