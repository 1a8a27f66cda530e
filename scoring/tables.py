"""Bundles -> long tables (one fact a row) -> arrays: the one seam between records and numbers.

Takes loaded entries, gives polars frames entries, episodes, attempts, task_scores and the Grid of values. A value has
a source: `published` (an import's own), `claimed` (a run's own, for previews only), `regraded` (our job's). Never
mixes two sources in one grid, and never turns a missing value into a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from harness.schema.episode import Episode
from scoring.load import Loaded
from scoring.profiles import Floats

SEEDS = 4
Source = Literal["published", "claimed", "regraded"]

_EPISODES = {
    "entry": pl.String,
    "task": pl.String,
    "seed": pl.Int64,
    "profile": pl.String,
    "exit_status": pl.String,
    "steps": pl.Int64,
    "validate_calls": pl.Int64,
    "input_tokens": pl.Int64,
    "cached_tokens": pl.Int64,
    "cache_write_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "api_calls": pl.Int64,
    "wall_s": pl.Float64,
    "gpu_s": pl.Float64,
    "reported_cost_usd": pl.Float64,
}
_ATTEMPTS = {
    "entry": pl.String,
    "task": pl.String,
    "seed": pl.Int64,
    "attempt": pl.Int64,
    "step": pl.Int64,
    "kind": pl.String,
    "final": pl.Boolean,
    "source": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "stderr": pl.Float64,
}
_ENTRIES = ("id", "agent", "agent_version", "model", "model_label", "organization", "open_weights", "date")


@dataclass(frozen=True)
class Tables:
    """The long tables. `final`: the attempt that the episode ended with, as its source defines it."""

    entries: pl.DataFrame
    episodes: pl.DataFrame
    attempts: pl.DataFrame


@dataclass(frozen=True)
class Grid:
    """Values of shape (entries, tasks, seeds), NaN where there is none, in the tasks' own direction and unit."""

    entries: tuple[str, ...]
    best: Floats
    last: Floats


def build_tables(loaded: Sequence[Loaded]) -> Tables:
    """The three tables of facts."""
    entries = [
        {"origin": one.bundle.origin, "level": one.level, "profile": one.bundle.profile, "bundle_sha256": one.sha256}
        | {name: getattr(one.bundle.entry, name) for name in _ENTRIES}
        for one in loaded
    ]
    episodes = [_episode(one, episode) for one in loaded for episode in one.bundle.episodes]
    attempts = [row for one in loaded for row in _attempts(one)]
    return Tables(
        pl.DataFrame(entries, infer_schema_length=None),
        pl.DataFrame(episodes, schema=_EPISODES),
        pl.DataFrame(attempts, schema=_ATTEMPTS),
    )


def task_scores(attempts: pl.DataFrame, source: Source, rules: pl.DataFrame) -> pl.DataFrame:
    """Best and last value of every (entry, task, seed). `rules` has task, metric, maximise; other metrics are left out.

    A value within max(noise x |baseline|, 3 standard errors) of the baseline of a task that declares noise is the
    baseline: an unchanged program lands on either side of it.
    """
    near = (pl.col("value") - pl.col("baseline")).abs() <= pl.max_horizontal(
        pl.col("noise") * pl.col("baseline").abs(), 3 * pl.col("stderr").fill_null(0.0)
    )
    value = pl.when(pl.col("noise").is_not_null() & near).then("baseline").otherwise("value")
    return (
        attempts.filter((pl.col("source") == source) & (pl.col("seed") < SEEDS))
        .join(rules, on=["task", "metric"])
        .with_columns(value=value)
        .sort("entry", "task", "seed", "attempt")
        .group_by("entry", "task", "seed", maintain_order=True)
        .agg(
            best=pl.when(pl.col("maximise").first()).then(pl.col("value").max()).otherwise(pl.col("value").min()),
            last=pl.col("value").filter(pl.col("final")).last(),
        )
    )


def grid(scores: pl.DataFrame, entries: Sequence[str], tasks: Sequence[str]) -> Grid:
    """The arrays of task_scores() in the given order of entries and tasks."""
    shape = (len(entries), len(tasks), SEEDS)
    rows = scores.filter(pl.col("entry").is_in(list(entries)) & pl.col("task").is_in(list(tasks)))
    at = tuple(
        np.array([places[name] for name in rows[column]], dtype=np.int64)
        for column, places in (
            ("entry", {name: i for i, name in enumerate(entries)}),
            ("task", {name: i for i, name in enumerate(tasks)}),
            ("seed", {seed: seed for seed in range(SEEDS)}),
        )
    )
    best, last = np.full(shape, np.nan), np.full(shape, np.nan)
    best[at] = rows["best"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    last[at] = rows["last"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return Grid(tuple(entries), best, last)


def validate_calls(episode: Episode) -> int:
    """How often the agent called validate, also in vain."""
    graded = sum(attempt.kind == "validate" for attempt in episode.attempts)
    return max(graded, episode.actions.get("Validate", 0))


def _episode(one: Loaded, episode: Episode) -> dict[str, Any]:
    return {
        "entry": one.bundle.entry.id,
        "task": episode.task,
        "seed": episode.seed,
        "profile": episode.profile,
        "exit_status": episode.exit_status,
        "steps": episode.steps,
        "validate_calls": validate_calls(episode),
        **episode.usage.model_dump(),
    }


def _attempts(one: Loaded) -> Iterator[dict[str, Any]]:
    found = {(verdict.task, verdict.seed, verdict.attempt): verdict.verdict for verdict in one.verdicts}
    for episode in one.bundle.episodes:
        for attempt in episode.attempts:
            is_last = attempt.index == len(episode.attempts) - 1
            handed_in = is_last and attempt.kind == "submit"
            base = {
                "entry": one.bundle.entry.id,
                "task": episode.task,
                "seed": episode.seed,
                "attempt": attempt.index,
                "step": attempt.step,
                "kind": attempt.kind,
            }
            for metric, value in (attempt.published or {}).items():
                yield base | _value("published", is_last, metric, value, None)
            regraded = found.get((episode.task, episode.seed, attempt.index))
            for source, verdict in (("claimed", attempt.sealed), ("regraded", regraded)):
                for metric, value in (verdict.metrics if verdict else {}).items():
                    error = verdict.stderr.get(metric) if verdict else None
                    yield base | _value(source, handed_in, metric, value, error)


def _value(source: str, final: bool, metric: str, value: float, stderr: float | None) -> dict[str, Any]:
    return {"source": source, "final": final, "metric": metric, "value": value, "stderr": stderr}
