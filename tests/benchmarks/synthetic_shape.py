"""What a made-up board looks like: the tasks with their scales, and the distributions that entries are drawn from.

Takes nothing, gives constants. The figures marked "published" are of the 260 real runs of MLGym's five models, as
`python tests/benchmarks/published_shape.py` prints them from submissions/; it prints a made board's beside them.
Never read by the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.schema.task import Direction


@dataclass(frozen=True)
class TaskShape:
    """One task: where its values lie and how a grade of it errs.

    `floor`: what a bad run scores; `progress`: mean over runs of (score - baseline) / (best - baseline), published;
    `stderr`: of one grade; `drawn`: a grade draws fresh games, so that two grades of one artifact differ; `beside`:
    a second metric, as slope and offset of the ranked one.
    """

    id: str
    metric: str
    direction: Direction
    baseline: float
    reference: float
    floor: float
    progress: float
    stderr: float
    n: int
    drawn: bool = False
    beside: tuple[str, float, float] | None = None
    transform: Literal["identity", "half-shifted"] = "identity"
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    source: str = "MLGym's published runs"
    public_labels: bool = False
    noise: float | None = None


OWN = "season-0"
TASKS = (
    TaskShape("house-price", "r2", "max", 0.879989, 0.931, 0.69, 0.23, 0.013, 292,
              beside=("rmse", -231_500.0, 234_050.0), bounds=(-1.0, 1.0), source=OWN, public_labels=True),
    TaskShape("three-sat", "relative_time", "min", 1.0, 0.72, 1.25, 0.24, 0.0134, 100,
              drawn=True, beside=("decisions", 5.8, 0.0), bounds=(0.01, 9.0), source=OWN, noise=0.05),
    TaskShape("prisoners-dilemma", "mean_payoff", "max", 2.3768, 2.6251, 2.33, 0.41, 0.0025, 40_000,
              drawn=True, bounds=(0.0, 5.0), source=OWN),
    TaskShape("battle-of-sexes", "mean_payoff", "max", 1.0204, 1.44, 0.75, 0.37, 0.0016, 40_000,
              drawn=True, bounds=(0.0, 2.0), source=OWN),
    TaskShape("colonel-blotto", "mean_payoff", "max", -0.2477, 0.2476, -0.4, 0.60, 0.0011, 40_000,
              drawn=True, bounds=(-1.0, 1.0), source=OWN, transform="half-shifted"),
    TaskShape("cifar10", "accuracy", "max", 0.4971, 0.8941, 0.40, 0.45, 0.004, 10_000,
              bounds=(0.0, 1.0), public_labels=True),
    TaskShape("fashion-mnist", "accuracy", "max", 0.7835, 0.9451, 0.18, 0.54, 0.003, 10_000,
              bounds=(0.0, 1.0), public_labels=True),
    TaskShape("coco-captioning", "BLEU Score", "max", 0.2794, 0.2940, 0.0, -0.40, 0.002, 5_000, bounds=(0.0, 1.0)),
    TaskShape("mnli", "validation_accuracy", "max", 52.511, 83.821, 36.4, 0.71, 0.4, 9_815, bounds=(0.0, 100.0)),
    TaskShape("fineweb-lm", "val_loss", "min", 4.6727, 3.9664, 5.47, 0.29, 0.01, 10_000, bounds=(0.5, 20.0)),
    TaskShape("breakout", "Reward Mean", "max", 48.817, 71.389, 0.0, -0.25, 1.2, 64, drawn=True, bounds=(0.0, 999.0)),
    TaskShape("meta-maze", "Reward Mean", "max", 15.734, 48.563, 0.7, 0.14, 1.0, 64, drawn=True, bounds=(0.0, 99.0)),
    TaskShape("mountain-car", "Reward Mean", "max", 33.8, 74.588, -50.0, 0.35, 0.8, 64, drawn=True,
              bounds=(-1e9, 100.0), source="made up: the published runs' own, -0.003, has no ratio"),
)  # fmt: skip

ABILITY_SD = 0.12  # published: of an entry's mean progress over five models
AFFINITY_SD = 0.33  # published 0.39 of entry x task cells, less what four seeds of SEED_SD leave in it
SEED_SD = 0.41  # published: within (entry, task)
ENDS = {  # published; `unknown` (2 of 260) cannot be in a run
    "success": 179,
    "evaluation_error": 46,
    "max_steps": 18,
    "runtime": 9,
    "cost": 3,
    "format": 2,
    "context": 1,
}
NOTHING_HANDED_IN = {"evaluation_error": 0.87, "runtime": 0.22}  # published share of episodes without an attempt
FURTHER_ATTEMPTS = 2.6  # exponential mean; published 4.3 attempts an episode, 2.5 here: each validate costs budget
MAX_ATTEMPTS = 19  # published
SUBMITS_WHAT_IT_VALIDATED = 0.64  # gives the published share of last scores equal to the one before, 0.545
LAST_IS_BEST = 0.54  # published, as far as an episode has several attempts
STEPS = {"success": (3.06, 0.60), "max_steps": (9.0, 0.0), "evaluation_error": (3.9, 0.8)}  # of log steps, cut at 50
OTHER_STEPS = (3.3, 0.5)
ACTIONS = {"Edit": 483, "Python": 188, "View": 104, "Bash": 58, "Search": 2}  # published, per thousand of all
VAIN_VALIDATES = 0.08  # share of validate calls whose artifact is invalid
INPUT_TOKENS = (7.43, 1.526, 0.50)  # published: log tokens = a + b log steps, and the standard deviation about it
OUTPUT_A_STEP = (4.81, 1.15, 0.55)  # published: mean of the log, spread between entries, spread between episodes

SMOKE, LOCAL, SIGNED, PARTIAL, TWIN, COPY, INFLATED, DOWNGRADED, REVIEWED, BREAKTHROUGH = (
    "smoke", "local", "signed", "partial", "twin", "copy", "inflated", "downgraded", "reviewed", "breakthrough",
)  # fmt: skip
KINDS = {
    3: SMOKE,
    5: LOCAL,
    7: SIGNED,  # never regraded
    9: PARTIAL,  # nine of the thirteen tasks
    11: TWIN,  # the values of the entry before it, from artifacts of its own
    13: COPY,  # the artifacts of the entry before it, by another submitter
    17: INFLATED,  # claims more than the regrade finds
    19: DOWNGRADED,
    23: REVIEWED,
    29: BREAKTHROUGH,  # beyond the reference on one task; held for review where labels are public
}
"""Entry i is of the kind KINDS[i % 100]; the others are ordinary."""
LETTERS = {"Edit": "E", "Python": "P", "View": "V", "Bash": "B", "Search": "S", "Validate": "A", "Submit": "U"}
UNPRICED = ("in-house-7b", "qwen3-coder-480b", "mistral-medium-3", "grok-4-private")
