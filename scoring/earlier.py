"""Earlier: what an entry's replaced bundles had handed in, so that nobody becomes the author of what others copied.

Takes the folder, the ledger and the facts, makes the relation `earlier`. Whoever resubmits is regraded anew; without
this a copy of the first bundle would be older than its author's second one. Reads only verdicts of bundles that are not
on the board any more, and only files whose bytes are the ones that the ledger names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import polars as pl

from harness.errors import GymboardError
from scoring.facts.check import read_verdicts
from scoring.ledger import LedgerLine
from scoring.tables import replace_relation

_EARLIER = {"entry": pl.String, "task": pl.String, "artifact": pl.Binary, "sequence": pl.Int64}


def make_earlier(db: duckdb.DuckDBPyConnection, submissions: Path, ledger: Sequence[LedgerLine]) -> None:
    """earlier(entry, task, artifact, sequence): every artifact of a replaced bundle, and the line that regraded it."""
    shown = set(db.execute("SELECT entry, bundle_sha256 FROM entries WHERE NOT preview").fetchall())
    entries = {entry for entry, _ in shown}
    rows = [
        (line.entry, task, artifact, line.sequence)
        for line in ledger
        if line.verdicts_sha256 and line.entry in entries and (line.entry, line.bundle_sha256) not in shown
        for task, artifact in _artifacts(submissions, line.verdicts_sha256)
    ]
    replace_relation(db, "earlier", pl.DataFrame(rows, schema=_EARLIER, orient="row"))


def _artifacts(submissions: Path, sha256: str) -> Iterator[tuple[str, bytes]]:
    try:
        document = read_verdicts(submissions, sha256)
    except GymboardError:
        return
    for found in document.verdicts:
        yield found.task, bytes.fromhex(found.artifact_sha256)
