"""How each episode of a run stands, and where its time went, as far as its folder says so.

Takes a run's folder, gives an EpisodeState an episode, one that is under way included. Never writes and never locks for
longer than a look; a file that is damaged is told as such and costs no other episode its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import SchemaError, UsageError, in_words
from harness.llm.journal import FILE as JOURNAL
from harness.llm.journal import read_journal
from harness.runner.phases import BESIDE
from harness.runner.run import keys_of, seed_of
from harness.runs.held import episode_held
from harness.runs.own import own_file
from harness.runs.timings import NONE, Timings, timings
from harness.schema.episode import Attempt, Episode
from harness.schema.run import RunManifest
from harness.schema.steps import read_steps
from harness.schema.task import Metric, load_task
from harness.telemetry.lines import read_events

State = Literal["done", "running", "unfinished", "waiting", "damaged"]


@dataclass(frozen=True)
class EpisodeState:
    """One episode. `score`: the ranked metric's sealed value of what was handed in last, or, while it is not done, the
    best validation value so far; None: there is none, or the task is not here. `tries`: how often it was begun anew
    before. `detail`: why, where it says so."""

    key: str
    state: State
    exit_status: str | None = None
    detail: str = ""
    score: float | None = None
    steps: int = 0
    cost_usd: float | None = None
    timings: Timings = NONE
    tries: int = 0

    @property
    def task(self) -> str:
        return seed_of(self.key)[0]

    @property
    def seed(self) -> int:
        return seed_of(self.key)[1]


def episodes(folder: Path, manifest: RunManifest, tasks_root: Path) -> Iterator[EpisodeState]:
    """Every episode of the run, in order. `tasks_root` names what a score is."""
    metrics = {task: _metric(tasks_root / task, manifest.dataset) for task in manifest.tasks}
    for key in keys_of(manifest.tasks, manifest.seeds):
        try:
            yield _state(folder, key, metrics[seed_of(key)[0]])
        except (SchemaError, UsageError, OSError) as error:
            yield EpisodeState(key, "damaged", detail=" ".join(in_words(error).split())[:300])


def _metric(folder: Path, dataset: str | None) -> Metric | None:
    return load_task(folder).on(dataset).metric if (folder / "task.toml").is_file() else None


def _state(run: Path, key: str, metric: Metric | None) -> EpisodeState:
    folder = run / key
    done = own_file(run, f"{key}/episode.json")
    spent = _spent(run, key)
    tries = len(list(folder.parent.glob(f"{folder.name}.unfinished-*")))
    if done:
        return _done(folder, key, metric, spent, tries)
    state: State = "running" if episode_held(run, key) else "unfinished" if folder.is_dir() else "waiting"
    steps = list(read_steps(folder / "steps.jsonl")) if own_file(run, f"{key}/steps.jsonl") else []
    attempts = [line.attempt for line in steps if line.attempt is not None]
    calls = list(read_journal(folder / JOURNAL)) if own_file(run, f"{key}/{JOURNAL}") else []
    costs = [line.call.cost_usd for line in calls]
    return EpisodeState(
        key,
        state,
        score=_best(attempts, metric),
        steps=sum(line.by == "agent" for line in steps),
        cost_usd=sum(cost or 0.0 for cost in costs) if costs else None,
        timings=spent,
        tries=tries,
    )


def _spent(run: Path, key: str) -> Timings:
    """Where its time went; what cannot be read is only missing."""
    try:
        return timings(read_events(run / key / BESIDE)) if own_file(run, f"{key}/{BESIDE}") else NONE
    except UsageError:
        return NONE


def _done(folder: Path, key: str, metric: Metric | None, spent: Timings, tries: int) -> EpisodeState:
    episode = Episode.from_json((folder / "episode.json").read_bytes(), subject="episode.json")
    last = episode.attempts[-1] if episode.attempts else None
    sealed = last.sealed if last else None
    return EpisodeState(
        key,
        "done",
        episode.exit_status,
        (sealed.invalid if sealed else None) or episode.exit_detail or (last.refused if last else None) or "",
        sealed.metrics.get(metric.name) if sealed and metric else None,
        episode.steps,
        episode.usage.reported_cost_usd,
        spent,
        tries,
    )


def _best(attempts: list[Attempt], metric: Metric | None) -> float | None:
    if metric is None:
        return None
    values = [made.validation.metrics[metric.name] for made in attempts if made.validation and made.validation.valid]
    return metric.best(values)
