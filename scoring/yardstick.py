"""Yardstick: what each task is measured in and against, for one board under one reading.

Takes a season file, or upstream's vocabulary with the baselines that imported bundles carry; gives TaskRules as arrays.
Never holds a constant that the data could state itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from harness.errors import Problem, UsageError
from harness.schema.base import Day, Inconsistent, KebabId, Line, Record
from harness.schema.gain import sigmas
from harness.schema.upstream import UPSTREAM_TASKS, UpstreamTask
from harness.schema.vocabulary import Direction, Domain
from scoring.profiles import Bools, Floats

TITLES = {
    "house-price": "House prices",
    "three-sat": "3-SAT",
    "prisoners-dilemma": "Prisoner's dilemma",
    "battle-of-sexes": "Battle of the sexes",
    "colonel-blotto": "Colonel Blotto",
    "cifar10": "CIFAR-10",
    "fashion-mnist": "Fashion-MNIST",
    "coco-captioning": "MS-COCO captioning",
    "mnli": "MNLI",
    "fineweb-lm": "Language modelling",
    "breakout": "Breakout",
    "meta-maze": "Meta-maze",
    "mountain-car": "Mountain car",
}


UNMEASURED = "unmeasured: no search has been run and regraded"
NOTHING_TO_SEARCH = "none: the starter declares nothing to search"


class Trivial(Record):
    """What a submission without any idea scores. `stderr` None: the grade is exact, the same value every time."""

    what: Line
    value: float
    stderr: float | None = Field(default=None, ge=0)


class TaskRule(Record):
    """How one task counts. `noise`: within this share of the baseline, and within harness.schema.gain.sigmas of its own
    standard errors, a value is the baseline."""

    id: KebabId
    title: str
    domain: Domain
    metric: str
    direction: Direction
    transform: Literal["identity", "half-shifted"] = "identity"
    baseline: float | None = None
    baseline_source: str
    reference: float | None = None
    reference_source: str = "the best of the cohort"
    reference_exact: bool = Field(
        default=False, description="the optimum is known by calculation: no value ever replaces the reference"
    )
    tuner_value: float | None = Field(
        default=None, description="what plain hyperparameter search over the starter hands in, best of four seeds"
    )
    tuner_source: Line = Field(default=UNMEASURED, description="where it comes from, or that nobody ran it")
    rankable: bool = True
    public_labels: bool = Field(
        default=False, description="the answers can be looked up: a value beyond the reference is held for review"
    )
    noise: float | None = Field(default=None, ge=0)
    validations: int | None = Field(default=None, ge=0, description="validate calls within a one-look episode")
    sampled: bool = Field(default=False, description="a value is a draw: the same artifact scores anew in every grade")
    tolerance: float = Field(
        default=0.0, ge=0, description="of a regrade: absolute, or if sampled relative and beside standard errors"
    )
    trivial: tuple[Trivial, ...] = Field(default=(), description="flagged where an entry scores just this")


class Season(Record):
    """A frozen set of constants. `draft`: they may still change, because no entry was ranked under them."""

    name: KebabId
    frozen: Day
    draft: bool
    tau_max: float = Field(gt=0, le=100)
    eps: float = Field(gt=0, le=1)
    prices: Day = Field(description="costs are computed in the prices of this day")
    notes: tuple[str, ...] = ()
    tasks: tuple[TaskRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ranks_something_once(self) -> Self:
        counts = Counter(rule.id for rule in self.tasks)
        faults = [Problem("tasks", f"{task} appears {n} times") for task, n in sorted(counts.items()) if n > 1]
        if not any(rule.rankable for rule in self.tasks):
            faults.append(Problem("tasks", "none is rankable"))
        if faults:
            raise Inconsistent(faults)
        return self


@dataclass(frozen=True)
class Yardstick:
    """The rules of one board, and as arrays of shape (tasks,); scores are compared after the transform."""

    rules: tuple[TaskRule, ...]
    eps: float
    tau_max: float | None

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def maximise(self) -> Bools:
        return np.array([rule.direction == "max" for rule in self.rules])

    @property
    def baseline(self) -> Floats:
        return self.transform(_floats(rule.baseline for rule in self.rules))

    @property
    def reference(self) -> Floats:
        return self.transform(_floats(rule.reference for rule in self.rules))

    @property
    def tuner(self) -> Floats:
        """What plain search reaches, in the tasks' own units; NaN: unmeasured."""
        return _floats(rule.tuner_value for rule in self.rules)

    def transform(self, scores: Floats) -> Floats:
        """Onto a positive scale where a task declares one: half-shifted is (1 + s)/2, a win rate for s in [-1, 1]."""
        shifted = np.array([rule.transform == "half-shifted" for rule in self.rules])
        return np.where(shifted, (1 + scores) / 2, scores)

    def only(self, tasks: Iterable[str]) -> Yardstick:
        """The same rules for fewer tasks."""
        kept = frozenset(tasks)
        return replace(self, rules=tuple(rule for rule in self.rules if rule.id in kept))

    def frame(self) -> pl.DataFrame:
        """The rules as a relation: task_no (the task's place), task, metric, maximise, and what values are held to."""
        return pl.DataFrame(
            [
                (
                    *(no, r.id, r.metric, r.direction == "max", r.baseline, r.reference),
                    *(r.noise, sigmas(r.noise), r.public_labels),
                )
                for no, r in enumerate(self.rules)
            ],
            schema={
                "task_no": pl.Int32,
                "task": pl.String,
                "metric": pl.String,
                "maximise": pl.Boolean,
                "baseline": pl.Float64,
                "reference": pl.Float64,
                "noise": pl.Float64,
                "sigmas": pl.Float64,
                "public_labels": pl.Boolean,
            },
            orient="row",
        )


def load_season(name: str | None = None) -> Season:
    """The named season, or the newest by frozen day, then number. Raises UsageError, naming those that there are."""
    texts = {file.name.removesuffix(".toml"): file for file in _season_files()}
    if name is not None and name not in texts:
        raise UsageError(f"no season {name!r}; the seasons here are: {', '.join(sorted(texts))}")
    wanted = [name] if name else sorted(texts)
    found = [Season.from_toml(texts[key].read_text(encoding="utf-8"), subject=f"{key}.toml") for key in wanted]
    return max(found, key=lambda season: (season.frozen, len(season.name), season.name))


def season_names() -> tuple[str, ...]:
    """Every season that ships with the package, sorted."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _season_files()))


def season_yardstick(season: Season) -> Yardstick:
    """The season's rankable tasks with their frozen constants."""
    return Yardstick(tuple(rule for rule in season.tasks if rule.rankable), season.eps, season.tau_max)


def published_yardstick(stored: Mapping[tuple[str, str], set[float]], eps: float) -> Yardstick:
    """Upstream's thirteen tasks in upstream's metrics; each baseline is the one that the runs themselves stored.

    `stored`: (task, metric) -> the values found. A baseline stored under another key than the ranked metric's
    (mountain-car: "Reward") is no baseline.
    """
    rules = (_published_rule(task, stored.get((task.id, task.metric), set())) for task in UPSTREAM_TASKS)
    return Yardstick(tuple(rules), eps, None)


def _published_rule(task: UpstreamTask, stored: set[float]) -> TaskRule:
    known = {0: "not stored under the ranked metric's key: none", 1: "as the published runs store it"}
    return TaskRule(
        id=task.id,
        title=TITLES[task.id],
        domain=task.domain,
        metric=task.metric,
        direction=task.direction,
        baseline=min(stored) if len(stored) == 1 else None,
        baseline_source=known.get(len(stored), "the published runs store different ones: none"),
    )


def _season_files() -> list[Traversable]:
    return [file for file in files("scoring").joinpath("seasons").iterdir() if file.name.endswith(".toml")]


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
