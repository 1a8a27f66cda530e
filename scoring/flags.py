"""Suspicion flags: what a reader should look at twice, computed by sql/flags.sql from the facts and the season's rules.

Takes a connection with the facts and the ledger's replays, and the rules of one season; gives one row a finding.
Never decides anything: a flag is a fact, and what follows from it is a line of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from scoring.tables import query, replace_relation
from scoring.yardstick import TaskRule

_RULES = {
    "task": pl.String,
    "metric": pl.String,
    "maximise": pl.Boolean,
    "baseline": pl.Float64,
    "reference": pl.Float64,
    "public_labels": pl.Boolean,
    "sampled": pl.Boolean,
    "tolerance": pl.Float64,
}
_FOUND = {
    "entry_no": pl.Int32,
    "flag": pl.String,
    "task": pl.String,
    "seed": pl.Int64,
    "value": pl.Float64,
    "against": pl.Float64,
    "words": pl.String,
}
_LINES = 4096
_TRIVIALS = {"task": pl.String, "what": pl.String, "value": pl.Float64, "stderr": pl.Float64}


def flags(db: duckdb.DuckDBPyConnection, rules: Sequence[TaskRule]) -> pl.DataFrame:
    """entry_no, flag, task, seed, value, against, words; ordered by the first four, unique in them.

    `db` has attempts(entry_no, task, seed, attempt, source, metric, value, stderr),
    episodes(entry_no, task, seed, steps, trace, act_edit, ... act_literature), entries(entry_no, entry, bundle_sha256,
    preview) and replays(entry, bundle_sha256, task, outcome, seed, expected, found, allowed). It is left as it was.
    """
    replace_relation(db, "season_rules", rules_frame(rules))
    replace_relation(db, "trivials", trivials_frame(rules))
    try:
        found, parts = query(db, "flags"), [pl.DataFrame(schema=_FOUND)]
        while lines := found.fetchmany(_LINES):  # all at once they are objects of 100 MB at 10,000 entries
            parts.append(pl.DataFrame(lines, schema=_FOUND, orient="row"))
        return pl.concat(parts)
    finally:
        db.execute("DROP TABLE season_rules; DROP TABLE trivials")


def rules_frame(rules: Sequence[TaskRule]) -> pl.DataFrame:
    """One row a task: task, metric, maximise, baseline, reference, public_labels, sampled, tolerance."""
    return pl.DataFrame(
        [
            (r.id, r.metric, r.direction == "max", r.baseline, r.reference, r.public_labels, r.sampled, r.tolerance)
            for r in rules
        ],
        schema=_RULES,
        orient="row",
    )


def trivials_frame(rules: Sequence[TaskRule]) -> pl.DataFrame:
    """One row a submission without any idea: task, what, value, stderr (null: exact)."""
    return pl.DataFrame(
        [(rule.id, one.what, one.value, one.stderr) for rule in rules for one in rule.trivial],
        schema=_TRIVIALS,
        orient="row",
    )
