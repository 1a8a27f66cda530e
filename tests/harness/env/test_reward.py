"""A reward is what a season would count: compared with the scorer's own scale, which the harness never imports."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.env.reward import EPS, Climb
from harness.schema.task import TaskSpec, load_tasks
from scoring.profiles import fixed_scale

TASKS = load_tasks()
WITH_BASELINE = [task for task in TASKS.values() if task.baseline("official")]
SEASONS = sorted((Path(__file__).resolve().parents[3] / "scoring" / "seasons").glob("*.toml"))


def _read(task: TaskSpec, score: float) -> float:
    return (1 + score) / 2 if task.transform == "half-shifted" else score


@given(
    st.sampled_from(WITH_BASELINE),
    st.lists(st.floats(-2, 4, allow_nan=False), max_size=6),
    st.floats(0.1, 10),
)
def test_the_rewards_sum_to_what_the_season_counts(task: TaskSpec, scores: list[float], reference: float) -> None:
    baseline = task.baseline("official")
    assert baseline is not None
    maximise = np.array([task.metric.direction == "max"])
    scale = fixed_scale(np.array([reference]), np.array([_read(task, baseline.value)]), maximise, EPS, 9.0)
    nothing = scale.log_ratios(np.array([math.nan]))[0]
    ratios = [scale.log_ratios(np.array([_read(task, score)]))[0] for score in scores]
    climb = Climb(task, "official")
    rewards = [climb.reward(str(number), score) for number, score in enumerate(scores)]
    assert min(rewards, default=0.0) >= 0.0
    assert sum(rewards) == pytest.approx(nothing - min([nothing, *ratios]), abs=1e-9)


@pytest.mark.parametrize("season", SEASONS, ids=lambda file: file.stem)
def test_every_season_counts_a_failure_as_the_reward_does(season: Path) -> None:
    assert tomllib.loads(season.read_text())["eps"] == EPS


def test_the_same_bytes_earn_nothing_by_luck() -> None:
    climb = Climb(TASKS["colonel-blotto"], "official")
    assert climb.reward("same", 0.1) > 0
    assert climb.reward("same", 0.2) == 0
    assert climb.reward("other", 0.2) > 0


def test_without_a_baseline_the_first_score_is_the_one() -> None:
    task = TASKS["colonel-blotto"].model_copy(update={"baselines": (), "transform": "identity"})
    climb = Climb(task, "official")
    assert climb.reward("a", -1.0) == 0, "no ratio, no reward, and no baseline either"
    assert climb.reward("b", 0.1) == pytest.approx(math.log10(1.05))
    assert climb.reward("c", 0.05) == 0
    assert climb.reward("d", 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -1.0])
def test_what_has_no_ratio_earns_nothing(score: float) -> None:
    climb = Climb(TASKS["colonel-blotto"], "official")
    assert climb.reward("a", score) == 0
    assert climb.reward("b", 0.0) > 0, "and spoils nothing"
