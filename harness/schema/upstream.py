"""The thirteen tasks as MLGym names and measures them: the vocabulary of imported results.

Source of the facts: arXiv 2502.14499 and the public MLGym repository (August 2025).
"""

from __future__ import annotations

from typing import NamedTuple

from harness.schema.vocabulary import Direction, Domain


class UpstreamTask(NamedTuple):
    """One task in upstream's words."""

    id: str
    upstream_id: str
    domain: Domain
    metric: str  # key of the ranked metric in upstream's results.json
    direction: Direction


UPSTREAM_TASKS = (
    UpstreamTask("house-price", "regressionKaggleHousePrice", "data-science", "r2", "max"),
    UpstreamTask("three-sat", "3SATTime", "algorithms", "Time", "min"),
    UpstreamTask("prisoners-dilemma", "prisonersDilemma", "game-theory", "Score", "max"),
    UpstreamTask("battle-of-sexes", "battleOfSexes", "game-theory", "Score", "max"),
    UpstreamTask("colonel-blotto", "blotto", "game-theory", "Score", "max"),
    UpstreamTask("cifar10", "imageClassificationCifar10", "vision", "accuracy", "max"),
    UpstreamTask("fashion-mnist", "imageClassificationFMnist", "vision", "accuracy", "max"),
    UpstreamTask("coco-captioning", "imageCaptioningCOCO", "vision-language", "BLEU Score", "max"),
    UpstreamTask("mnli", "naturalLanguageInferenceMNLI", "language", "validation_accuracy", "max"),
    UpstreamTask("fineweb-lm", "languageModelingFineWeb", "language", "val_loss", "min"),
    UpstreamTask("breakout", "rlBreakoutMinAtar", "rl", "Reward Mean", "max"),
    UpstreamTask("meta-maze", "rlMetaMazeMisc", "rl", "Reward Mean", "max"),
    UpstreamTask("mountain-car", "rlMountainCarContinuous", "rl", "Reward Mean", "max"),
)
