"""Entries as files: run bundles with claimed values, signed with a real key, included and regraded in a real ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.schema.bundle import Bundle, Entry
from harness.schema.episode import Attempt, Episode, Usage, Verdict
from harness.signing import make_demo_key, sign
from scoring.inclusion import include_entry
from scoring.ledger import LEDGER, RegradeVerdict, append_line, append_regrade

SUBMITTER = "github:1234"
NOW = "2026-11-20T12:00:00Z"
METRICS = {
    "house-price": "r2",
    "three-sat": "relative_time",
    "prisoners-dilemma": "mean_payoff",
    "battle-of-sexes": "mean_payoff",
    "colonel-blotto": "mean_payoff",
    "cifar10": "accuracy",
    "fashion-mnist": "accuracy",
    "mnli": "accuracy",
    "fineweb-lm": "loss",
    "breakout": "mean_return",
    "meta-maze": "mean_return",
    "mountain-car": "mean_return",
}
"""The ranked tasks of the newest season, each with its ranked metric."""
GOOD = {
    "house-price": 0.92,
    "three-sat": 0.7,
    "prisoners-dilemma": 2.6,
    "battle-of-sexes": 1.43,
    "colonel-blotto": 0.2,
    "cifar10": 0.85,
    "fashion-mnist": 0.93,
    "mnli": 0.8,
    "fineweb-lm": 4.2,
    "breakout": 60.0,
    "meta-maze": 60.0,
    "mountain-car": 95.0,
}
Values = Mapping[str, Sequence[Sequence[float]]]  # task -> one list of attempts' values a seed


def everywhere(values: Mapping[str, float], seeds: int = 4) -> dict[str, list[list[float]]]:
    """One attempt a seed, always the same value."""
    return {task: [[value]] * seeds for task, value in values.items()}


def artifact(task: str, seed: int, attempt: int) -> str:
    return hashlib.sha256(f"{task} {seed} {attempt}".encode()).hexdigest()


def verdict(task: str, value: float, stderr: float = 0.001) -> Verdict:
    metric = METRICS[task]
    return Verdict(
        split="sealed", metrics={metric: value}, stderr={metric: stderr}, grader_version="1.0.0", duration_s=1.0
    )


def run_bundle(name: str, values: Values, *, model: str | None = "gpt-4o", profile: str = "official") -> Bundle:
    """A run whose every episode ended by submitting; the values are what it claims."""
    episodes = [
        Episode(
            task=task,
            task_version="1.0.0",
            profile=profile,
            seed=seed,
            exit_status="success" if handed else "evaluation_error",
            steps=10,
            actions={"Bash": 9, "Submit": 1},
            attempts=tuple(
                Attempt(
                    index=index,
                    step=index + 1,
                    kind="submit" if index == len(handed) - 1 else "validate",
                    artifact_sha256=artifact(task, seed, index),
                    sealed=verdict(task, value),
                )
                for index, value in enumerate(handed)
            ),
            usage=Usage(input_tokens=1_000_000, output_tokens=100_000, api_calls=10) if model else Usage(),
        )
        for task, seeds in values.items()
        for seed, handed in enumerate(seeds)
    ]
    return Bundle(
        schema_version=1,
        suite_version="1.0.0",
        origin="run",
        submitter=SUBMITTER,
        entry=Entry(id=name, agent="tester", agent_version="1", model=model, date="2026-11-20"),
        profile=profile,
        sandbox="docker",
        harness_version="0.1.0",
        created=NOW,
        episodes=tuple(episodes),
    )


def write_entry(submissions: Path, bundle: Bundle, keys: Path) -> Path:
    """The entry's folder with a real signature."""
    folder = submissions / bundle.entry.id
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_bytes(bundle.canonical())
    sign(folder, make_demo_key(keys))
    return folder


def include(submissions: Path, folder: Path) -> None:
    """The ledger line that freezes the key."""
    include_entry(submissions, folder.name, "test")


def regrade(submissions: Path, folder: Path, values: Values, stderr: float = 0.001) -> None:
    """The ledger line of a regrade that found `values`, whatever the bundle claims."""
    found = [
        RegradeVerdict(
            task=task,
            seed=seed,
            attempt=index,
            artifact_sha256=artifact(task, seed, index),
            verdict=verdict(task, value, stderr),
        )
        for task, seeds in values.items()
        for seed, handed in enumerate(seeds)
        for index, value in enumerate(handed)
    ]
    append_regrade(submissions, {**_about(folder), "reason": "test"}, found)


def decide(submissions: Path, folder: Path, kind: str, **more: str) -> None:
    """A downgrade or a removal."""
    append_line(submissions / LEDGER, {**_about(folder), "kind": kind, "reason": "a copied artifact", **more})


def _about(folder: Path) -> dict[str, str]:
    digest = hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()
    return {"time": NOW, "entry": folder.name, "bundle_sha256": digest}
