"""Known values: what the board's evidence says can be reached on a task, and how far luck can have helped.

Takes a connection with the facts and what is wanted of each task, gives the candidates for a reference, and what plain
search reached. Never a value
that is held for review, refuted by an audit note, of a smoke run or preview, or of an entry below level regraded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from importlib.resources import files
from math import fsum

import duckdb
import polars as pl

from harness.schema.task import TaskSpec

LUCK = 3.0
"""Standard errors that a drawn value loses before it may be a reference; known.sql and flags.sql have the same."""


@dataclass(frozen=True)
class Wanted:
    """A task's ranked metric, and upstream's name for it where published values compare. `known_best`: beyond it, a
    value on public labels waits for a review."""

    task: str
    metric: str
    maximise: bool
    sampled: bool
    public_labels: bool
    known_best: float | None
    published_metric: str | None


@dataclass(frozen=True)
class Known:
    """One candidate: the value that luck cannot explain, and where it comes from in words."""

    task: str
    value: float
    source: str


_WANTED = {
    "task": pl.String,
    "metric": pl.String,
    "maximise": pl.Boolean,
    "sampled": pl.Boolean,
    "public_labels": pl.Boolean,
    "known_best": pl.Float64,
    "published_metric": pl.String,
}


def known_values(db: duckdb.DuckDBPyConnection, wanted: Sequence[Wanted]) -> tuple[Known, ...]:
    """Every candidate: regraded ones first within a task, then published ones, by entry.

    `db` has entries(entry_no, entry, preview, origin, profile, level, reviewed), notes(entry_no, task, seed) and
    attempts(entry_no, task, seed, attempt, is_last, source, metric, value, stderr); it is left as it was found.
    """
    query = files("scoring").joinpath("sql", "known.sql").read_text(encoding="utf-8")
    db.register("wanted", pl.DataFrame([astuple(one) for one in wanted], schema=_WANTED, orient="row"))
    try:
        rows = db.execute(query).fetchall()
    finally:
        db.unregister("wanted")
    maximise = {one.task: one.maximise for one in wanted}
    return tuple(sorted(_known(rows, maximise), key=lambda one: (one.task, not one.source.startswith("regraded"))))


def tuned_values(db: duckdb.DuckDBPyConnection, specs: Mapping[str, TaskSpec]) -> tuple[Known, ...]:
    """What the board's own `tuner` entry handed in, regraded, best of its four seeds: one a task that it has run.

    A task whose starter declares no hyperparameter has none: a search of nothing is the untouched starter.
    """
    searched = [
        (spec.id, spec.metric.name, spec.metric.direction == "max") for spec in specs.values() if spec.hyperparameters
    ]
    schema = {"task": pl.String, "metric": pl.String, "maximise": pl.Boolean}
    db.register("searched", pl.DataFrame(searched, schema=schema, orient="row"))
    try:
        query = files("scoring").joinpath("sql", "tuned.sql").read_text(encoding="utf-8")
        rows = db.execute(query).fetchall()
    finally:
        db.unregister("searched")
    return tuple(Known(task, value, f"regraded: {entry}, best of four seeds") for task, entry, value in rows)


def _known(
    rows: Sequence[tuple[str, str, str, int | None, list[float], float | None]], maximise: dict[str, bool]
) -> Iterator[Known]:
    for task, source, entry, seed, values, stderr in rows:
        if seed is None:
            words = f"published: {entry}, mean of the final values of its {len(values)} seeds"
            yield Known(task, fsum(values) / len(values), words)
        elif stderr is None:
            yield Known(task, values[0], f"{source}: {entry}, seed {seed}")
        else:
            worse = -LUCK * stderr if maximise[task] else LUCK * stderr
            words = f"{source}: {entry}, seed {seed}: {values[0]:.6g}, less {LUCK:g} standard errors of {stderr:.3g}"
            yield Known(task, values[0] + worse, words)
