"""mlgym-compat against a straightforward version of the described script, on cohorts that it has never seen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from harness.schema.bundle import Bundle
from scoring.compat import EPS
from scoring.measure import COLUMNS, measure
from scoring.tables import Grid
from scoring.vocabulary import BASELINE
from scoring.yardstick import Yardstick, published_yardstick
from tests.scoring.grids import rule
from tests.scoring.test_reference_values import REFERENCE

SUBMISSIONS = Path(__file__).resolve().parents[2] / "submissions"


def better(direction: str, values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return (max if direction == "max" else min)(known) if known else math.nan


def script(grid: Grid, yard: Yardstick) -> tuple[dict[str, list[float]], dict[str, list[float]], float]:
    """AUP and Borda points of each column and tau_max, by plain loops over methods, tasks and taus."""
    ratios: dict[str, list[list[float]]] = {}
    bordas: dict[str, list[float]] = {}
    largest = 0
    for column in COLUMNS:
        values = getattr(grid, column)
        methods = len(grid.entries) + 1
        ratios[column] = [[] for _ in range(methods)]
        bordas[column] = [0.0] * methods
        for task, how in enumerate(yard.rules):
            base = math.nan if how.baseline is None else how.baseline
            scores = [better(how.direction, values[m, task].tolist()) for m in range(methods - 1)] + [base]
            worse = [s < base if how.direction == "max" else s > base for s in scores]
            feasible = [not (s < 0 or bad) for s, bad in zip(scores, worse, strict=True)]
            best = better(how.direction, [s for s, fine in zip(scores, feasible, strict=True) if fine])
            raw = [best / s if how.direction == "max" else s / best for s in scores]
            worst = max(r for r, fine in zip(raw, feasible, strict=True) if fine and not math.isnan(r))
            largest = max(largest, math.ceil(round(worst * 1.05, 12)))
            for m in range(methods):
                ratios[column][m].append(raw[m] if feasible[m] and not math.isnan(raw[m]) else worst * 1.05)
            placed = sorted((m for m in range(methods) if not math.isnan(scores[m])), key=lambda m: scores[m])
            placed = placed[::-1] if how.direction == "max" else placed
            for place, m in enumerate([*placed, *(m for m in range(methods) if math.isnan(scores[m]))]):
                bordas[column][m] += methods - place
    tau_max = math.ceil(10 * math.log10(largest)) / 10
    taus = np.linspace(0.0, tau_max, 500)
    areas: dict[str, list[float]] = {}
    for column, rows in ratios.items():
        areas[column] = []
        for row in rows:
            heights = [sum(math.log10(r) <= tau for r in row) / len(row) for tau in taus[:-1]]
            areas[column].append(sum(heights) * (taus[1] - taus[0]))
    return areas, bordas, tau_max


def cohort(seed: int, methods: int, tasks: int) -> tuple[Grid, Yardstick]:
    """Synthetic results on a scale of their own: missing seeds and tasks, negative scores, tasks without baseline."""
    rng = np.random.default_rng(seed)
    rules = tuple(
        rule(
            f"task-{task:02d}",
            "max" if rng.random() < 0.6 else "min",
            baseline=None if rng.random() < 0.15 else float(rng.uniform(0.3, 1.5)),
            reference=None,
        )
        for task in range(tasks)
    )
    spread = rng.uniform(0.05, 2.5)
    last = np.exp(rng.normal(0.0, spread, (methods, tasks, 4)))
    last[rng.random(last.shape) < 0.1] *= -1
    last[rng.random(last.shape) < 0.15] = np.nan
    last[rng.random(last.shape[:2]) < 0.08] = np.nan
    maximise = np.array([r.direction == "max" for r in rules])[:, None]
    last = np.where(maximise, last, np.abs(last))
    other = np.exp(rng.normal(0.0, spread, last.shape))
    best = np.where(maximise, np.fmax(last, other), np.fmin(last, other))
    return Grid(tuple(f"m-{m:03d}" for m in range(methods)), best, last), Yardstick(rules, EPS, None)


@pytest.mark.parametrize("seed", range(12))
def test_another_cohort_gives_what_the_described_script_gives(seed: int) -> None:
    grid, yard = cohort(seed, methods=2 + 3 * seed, tasks=1 + seed)
    areas, bordas, tau_max = script(grid, yard)
    found, tau = measure(grid, yard, "mlgym-compat", np.ones(len(grid.entries), dtype=bool))
    assert tau == tau_max
    for column in COLUMNS:
        np.testing.assert_allclose(found[column].aup, areas[column], atol=1e-12)
        np.testing.assert_array_equal(found[column].borda, bordas[column])


def test_the_cohorts_have_scales_of_their_own() -> None:
    assert len({script(*cohort(seed, 2 + 3 * seed, 1 + seed))[2] for seed in range(12)}) > 5


def published() -> tuple[Grid, Yardstick]:
    """The committed bundles without the ledger: values as the runs stored them."""
    bundles = [Bundle.from_json(path.read_bytes()) for path in sorted(SUBMISSIONS.glob("*-mlgym/bundle.json"))]
    stored: dict[tuple[str, str], set[float]] = {}
    for episode in (episode for bundle in bundles for episode in bundle.episodes):
        for metric, value in (episode.published_baseline or {}).items():
            stored.setdefault((episode.task, metric), set()).add(value)
    yard = published_yardstick(stored, EPS)
    best = np.full((len(bundles), len(yard.rules), 4), np.nan)
    last = best.copy()
    for row, bundle in enumerate(bundles):
        for episode in bundle.episodes:
            task = yard.tasks.index(episode.task)
            how = yard.rules[task]
            values = [(attempt.published or {}).get(how.metric, math.nan) for attempt in episode.attempts]
            if values:
                best[row, task, episode.seed] = better(how.direction, values)
                last[row, task, episode.seed] = values[-1]
    return Grid(tuple(bundle.entry.id for bundle in bundles), best, last), yard


def test_the_published_five_give_the_published_table() -> None:
    grid, yard = published()
    areas, _, tau_max = script(grid, yard)
    everyone = np.ones(len(grid.entries), dtype=bool)
    compat, tau = measure(grid, yard, "mlgym-compat", everyone)
    live, _ = measure(grid, yard, "live", everyone)
    assert tau == tau_max == 1.2
    for row, entry in enumerate((*grid.entries, BASELINE)):
        for at, column in enumerate(COLUMNS):
            assert compat[column].aup[row] == pytest.approx(areas[column][row], abs=1e-12)
            assert compat[column].aup[row] == pytest.approx(REFERENCE[entry][at], abs=5.1e-4)
            assert live[column].aup[row] == pytest.approx(REFERENCE[entry][2 + at], abs=1e-4)
