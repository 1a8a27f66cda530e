"""Rows and cells: what a board shows of one entry.

Takes a loaded entry, the rules and the measured arrays, gives records. A missing value is None, an episode that is not
in the bundle still counts in the denominator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.schema.episode import ActionClass, Episode, ExitStatus
from scoring.costs import Cost
from scoring.leaderboard import BASELINE, Cell, Column, Row, RowKind, Score, Standing
from scoring.load import Loaded
from scoring.measure import COLUMNS, Measured
from scoring.profiles import Floats
from scoring.tables import SEEDS, validate_calls
from scoring.yardstick import TaskRule, Yardstick


def entry_row(
    one: Loaded,
    index: int,
    yard: Yardstick,
    measured: Mapping[Column, Measured],
    standings: Mapping[Column, Standing],
    *,
    kind: RowKind,
    cost: Cost,
    not_ranked_because: str | None,
) -> Row:
    """The row of one entry; `index` is its row in the measured arrays."""
    entry = one.bundle.entry
    cells = _cells(one, index, yard, measured)
    shown = [episode for episode in one.bundle.episodes if episode.task in yard.tasks and episode.seed < SEEDS]
    return Row.model_validate(
        {
            "kind": kind,
            "entry": entry,
            "id": entry.id,
            "label": entry.model_label or entry.model or entry.agent,
            "submitter": one.bundle.submitter,
            "level": None if kind == "preview" else one.level,
            "profile": one.bundle.profile,
            "standings": dict(standings),
            "cells": cells,
            "cost": cost,
            "valid_episodes": sum(cell.valid_episodes for cell in cells),
            "episodes": len(yard.rules) * SEEDS,
            "citation": one.bundle.citation,
            "notes": one.bundle.audit,
            "not_ranked_because": not_ranked_because,
        }
        | _ways(shown)
        | _sums(shown)
    )


def baseline_row(yard: Yardstick, measured: Mapping[Column, Measured], standings: Mapping[Column, Standing]) -> Row:
    """The untouched starters, as a method among methods; never ranked."""
    cells = tuple(
        _cell(task, -1, rule, measured, {"valid_episodes": 0, "episodes": 0, "validate_calls": 0})
        for task, rule in enumerate(yard.rules)
    )
    return Row(
        kind="baseline",
        entry=None,
        id=BASELINE,
        label="Baseline",
        standings=dict(standings),
        cells=cells,
        cost=Cost(usd_per_episode=None, source="unknown", words="not a run"),
        valid_episodes=0,
        episodes=0,
        not_ranked_because="the baseline is what the others are measured against",
    )


def _cells(one: Loaded, index: int, yard: Yardstick, measured: Mapping[Column, Measured]) -> tuple[Cell, ...]:
    by_task: dict[str, list[Episode]] = {}
    for episode in one.bundle.episodes:
        if episode.seed < SEEDS:
            by_task.setdefault(episode.task, []).append(episode)
    cells = []
    for task, rule in enumerate(yard.rules):
        episodes = by_task.get(rule.id, [])
        finals = measured["last"].values[index, task]
        facts = {
            "valid_episodes": sum(_handed_in(episode) and not np.isnan(finals[episode.seed]) for episode in episodes),
            "episodes": SEEDS,
            "validate_calls": sum(map(validate_calls, episodes)),
            "one_look": _one_look(rule, episodes, finals),
            "exits": dict(sorted(Counter(episode.exit_status for episode in episodes).items())),
            "notes": tuple(note for note in one.bundle.audit if note.task == rule.id),
        }
        cells.append(_cell(task, index, rule, measured, facts))
    return tuple(cells)


def _cell(task: int, index: int, rule: TaskRule, measured: Mapping[Column, Measured], facts: Mapping[str, Any]) -> Cell:
    scores = {column: _score(measured[column], index, task, rule) for column in COLUMNS}
    names = {"task": rule.id, "metric": rule.metric, "direction": rule.direction}
    return Cell.model_validate({**names, **scores, **facts})


def _score(measured: Measured, index: int, task: int, rule: TaskRule) -> Score:
    seeds = measured.values[index, task]
    known = seeds[~np.isnan(seeds)]
    value = number(measured.scores[index, task])
    better = None
    if value is not None and rule.baseline is not None:
        better = value > rule.baseline if rule.direction == "max" else value < rule.baseline
    return Score(
        value=value,
        mean=float(known.mean()) if known.size else None,
        stderr=float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else None,
        seeds=tuple(number(seed) for seed in seeds),
        log10_ratio=number(measured.log_ratios[index, task]),
        feasible=bool(measured.feasible[index, task]),
        beats_baseline=better,
        contribution=float(measured.parts[index, task]),
    )


def number(value: float) -> float | None:
    """NaN is None."""
    return None if np.isnan(value) else float(value)


def _handed_in(episode: Episode) -> bool:
    """It ended with an artifact: by its last attempt, or, where an import does not say, by its exit status."""
    return bool(episode.attempts) and (episode.attempts[-1].kind == "submit" or episode.exit_status == "success")


def _one_look(rule: TaskRule, episodes: Sequence[Episode], finals: Floats) -> float | None:
    if rule.validations is None:
        return None
    within = [finals[episode.seed] for episode in episodes if validate_calls(episode) <= rule.validations]
    values = [float(value) for value in within if not np.isnan(value)]
    return (max if rule.direction == "max" else min)(values, default=None)


def _ways(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How the episodes ended."""
    exits: Counter[ExitStatus] = Counter(episode.exit_status for episode in episodes)
    failures = {status: count for status, count in exits.items() if status not in ("success", "max_steps")}
    return {
        "exits": dict(sorted(exits.items())),
        "failed": sum(not _scored(episode) for episode in episodes),
        "incomplete": sum(
            _scored(episode) and episode.exit_status not in ("success", "max_steps") for episode in episodes
        ),
        "dominant_failure": min(failures, key=lambda status: (-failures[status], status), default=None),
    }


def _scored(episode: Episode) -> bool:
    return any(attempt.published or (attempt.sealed and attempt.sealed.valid) for attempt in episode.attempts)


def _sums(episodes: Sequence[Episode]) -> dict[str, Any]:
    actions: Counter[ActionClass] = Counter()
    for episode in episodes:
        actions.update(episode.actions)
    usages = [episode.usage for episode in episodes]
    walls = [usage.wall_s for usage in usages if usage.wall_s is not None]
    gpus = [usage.gpu_s for usage in usages if usage.gpu_s is not None]
    return {
        "steps": sum(episode.steps for episode in episodes),
        "input_tokens": sum(usage.input_tokens for usage in usages),
        "output_tokens": sum(usage.output_tokens for usage in usages),
        "wall_s": sum(walls) if walls else None,
        "gpu_s": sum(gpus) if gpus else None,
        "actions": dict(sorted(actions.items())),
    }
