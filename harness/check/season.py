"""Rules of the season: which episodes there must be, within which limits, and what a bundle can become at best."""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.rule import OFFICIAL_SEEDS, Finding, Subject, rule


@rule(
    "GB201",
    "denominators",
    "Run what is missing (`gymboard run --resume`); denominators never shrink.",
)
def denominators(subject: Subject) -> Iterator[Finding]:
    """A bundle of the official profile has the seeds 0 to 3 of every task that it has at all; a failed episode
    counts.
    """
    if subject.bundle.profile != "official":
        return
    there = {(episode.task, episode.seed) for episode in subject.bundle.episodes}
    for task in sorted({task for task, _ in there}):
        if missing := [str(seed) for seed in OFFICIAL_SEEDS if (task, seed) not in there]:
            yield "episodes", f"{task} lacks seed {', '.join(missing)}"


@rule(
    "GB210",
    "every task",
    "Run the missing tasks too (`gymboard run --tasks all`) to be ranked.",
    severity="warning",
)
def partial(subject: Subject) -> Iterator[Finding]:
    """A bundle of the official profile has every task of the suite. One that lacks a task is shown as partial: its
    values stand on the tasks' pages, it has no AUP and no rank.
    """
    there = {episode.task for episode in subject.bundle.episodes}
    missing = [task for task in subject.season if task not in there]
    if subject.bundle.profile == "official" and missing:
        yield "episodes", f"lack {', '.join(missing)}: shown as partial, never ranked"


@rule(
    "GB202",
    "no extra seeds",
    "Pack a run of exactly four seeds.",
)
def extra_seeds(subject: Subject) -> Iterator[Finding]:
    """A bundle of the official profile has no seed but 0 to 3: the best of more tries is no fair best."""
    for number, episode in enumerate(subject.bundle.episodes):
        if subject.bundle.profile == "official" and episode.seed not in OFFICIAL_SEEDS:
            yield f"episodes[{number}].seed", f"is {episode.seed}"


@rule(
    "GB203",
    "smoke is never ranked",
    "Run with --profile official to be ranked.",
    severity="warning",
)
def smoke(subject: Subject) -> Iterator[Finding]:
    """A bundle of the smoke profile shows that things work; it is never ranked."""
    if subject.bundle.profile == "smoke":
        yield "profile", "is smoke: never ranked"


@rule(
    "GB204",
    "local sandbox",
    "Run with --sandbox docker to be regraded and ranked.",
    severity="warning",
)
def local_sandbox(subject: Subject) -> Iterator[Finding]:
    """A run in the local sandbox proves no isolation: its bundle never rises above the level signed."""
    if subject.bundle.sandbox == "local":
        yield "sandbox", "is local: capped at the level signed, because the agent could reach what grades it"


@rule(
    "GB209",
    "whole starter, own dataset",
    "Run without --starter and --dataset; other starters and datasets are for practice.",
)
def curriculum(subject: Subject) -> Iterator[Finding]:
    """An entry begins with the task's whole starter, on the task's own dataset: from anything else its score cannot be
    compared.
    """
    first = subject.bundle.episodes[0]  # the schema demands that all of them agree
    if first.variant is not None:
        yield "episodes", f"begin with the starter {first.variant}"
    if first.dataset is not None:
        yield "episodes", f"are about the dataset {first.dataset}"


@rule(
    "GB205",
    "steps",
    "Such an episode did not run in this harness; run it again.",
)
def steps(subject: Subject) -> Iterator[Finding]:
    """No episode has more steps than the task allows, and no attempt lies beyond the episode's end."""
    for number, episode, spec in subject.known:
        if episode.steps > spec.limits.steps:
            yield f"episodes[{number}].steps", f"is {episode.steps}; {spec.id} allows {spec.limits.steps}"
        for attempt in episode.attempts:
            if attempt.step > episode.steps + 1:
                path = f"episodes[{number}].attempts[{attempt.index}].step"
                yield path, f"is {attempt.step}, but the episode has {episode.steps} steps"


@rule(
    "GB206",
    "cost",
    "Set the task's limit for the agent and run again.",
)
def cost(subject: Subject) -> Iterator[Finding]:
    """No episode costs more than the task allows."""
    for number, episode, spec in subject.known:
        spent = episode.usage.reported_cost_usd
        if spent is not None and spent > spec.limits.cost_usd:
            path = f"episodes[{number}].usage.reported_cost_usd"
            yield path, f"is {spent:.2f}; {spec.id} allows {spec.limits.cost_usd:.2f} USD"


@rule(
    "GB207",
    "wall time",
    "Such an episode did not run in this harness; run it again.",
)
def wall_time(subject: Subject) -> Iterator[Finding]:
    """No episode lasts longer than the task allows, the grading of its attempts not counted."""
    for number, episode, spec in subject.known:
        limits = spec.limits
        allowed = limits.wall_time_s + limits.command_time_s + 2 * len(episode.attempts) * limits.grade_time_s
        wall = episode.usage.wall_s
        if wall is not None and wall > allowed:
            yield f"episodes[{number}].usage.wall_s", f"is {wall:.0f}; {spec.id} allows {allowed} with grading"


@rule(
    "GB208",
    "model",
    "Pack a run whose agent names its model.",
)
def model(subject: Subject) -> Iterator[Finding]:
    """A bundle that used a model's tokens names the model."""
    used = sum(episode.usage.input_tokens + episode.usage.output_tokens for episode in subject.bundle.episodes)
    if used and subject.bundle.entry.model is None:
        yield "entry.model", f"is missing, but the episodes used {used} tokens"
