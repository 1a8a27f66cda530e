"""MLGym's published runs -> one `reported` bundle a model.

Takes a folder or a .tar.zst of runs as MLGym publishes them (results.json and a .traj each), gives bundles with
figures only: scores and baselines verbatim, tokens, exit status, classes of actions in their order. Never the text of
an action or an observation, never a corrected value: what is known to be invalid gets an audit note beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from harness import __version__
from harness.errors import DataError
from harness.importers.archive import members
from harness.importers.mlgym_audit import audit_notes
from harness.importers.mlgym_traj import FinishedRun, Results, read_run
from harness.importers.traj import Document
from harness.schema.bundle import SUITE_VERSION, Bundle, Citation, Entry
from harness.schema.episode import Episode
from harness.schema.upstream import UPSTREAM_TASKS

PUBLISHED = "2025-02-20"
CITATION = Citation(
    title="MLGym: A New Framework and Benchmark for Advancing AI Research Agents (arXiv 2502.14499); "
    "trajectories of the public MLGym repository",
    url="https://github.com/facebookresearch/MLGym",
    licence="CC-BY-NC-4.0",
)
_RUN = re.compile(
    r"(?:[^/]+/)*metagen-(?P<model>[A-Za-z0-9-]+)__(?P<task>[A-Za-z0-9]+)__[^/]*_run_(?P<seed>\d+)/(?P<file>[^/]+)$"
)
_TASKS = {task.upstream_id: task.id for task in UPSTREAM_TASKS}


class KnownModel(NamedTuple):
    """How the board names one of upstream's models."""

    entry: str
    model: str
    label: str
    organization: str
    open_weights: bool


KNOWN_MODELS = {
    "gpt-o1": KnownModel("openai-o1-preview-mlgym", "o1-preview", "OpenAI o1-preview", "OpenAI", False),
    "gemini-15-pro": KnownModel("gemini-1-5-pro-mlgym", "gemini-1.5-pro", "Gemini 1.5 Pro", "Google", False),
    "claude-35-sonnet-new": KnownModel(
        "claude-3-5-sonnet-mlgym", "claude-3.5-sonnet", "Claude 3.5 Sonnet", "Anthropic", False
    ),
    "llama3-405b-tools": KnownModel(
        "llama-3-1-405b-instruct-mlgym", "llama-3.1-405b", "Llama 3.1 405B Instruct", "Meta", True
    ),
    "gpt4o2": KnownModel("gpt-4o-mlgym", "gpt-4o", "GPT-4o", "OpenAI", False),
}


def import_mlgym(path: Path) -> list[Bundle]:
    """Read every run under `path`. Raises DataError (hostile or unreadable) and SchemaError (NaN, infinities)."""
    runs: dict[tuple[str, str, int], dict[str, Any]] = {}
    for name, data in members(path, ("results.json", ".traj")):
        if match := _RUN.match(name):
            task = match["task"]
            if task not in _TASKS:
                raise DataError(f"{path}: {name!r} is of a task {task!r} that MLGym-Bench does not have")
            kind = "results" if match["file"] == "results.json" else "traj"
            _keep(runs.setdefault((match["model"], _TASKS[task], int(match["seed"])), {}), kind, name, data)
    if not runs:
        raise DataError(f"{path}: no runs named metagen-<model>__<task>__..._run_<seed>/ with results.json in there")
    finished = [_finished(key, run) for key, run in sorted(runs.items())]
    return [_bundle(model, finished) for model in dict.fromkeys(key[0] for key, _ in finished)]


def write_entries(bundles: Iterable[Bundle], submissions: Path) -> list[Path]:
    """Write submissions/<entry>/bundle.json in canonical form; gives the files."""
    written = []
    for bundle in bundles:
        file = submissions / bundle.entry.id / "bundle.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bundle.canonical())
        written.append(file)
    return written


def _keep(run: dict[str, Any], kind: str, name: str, data: bytes) -> None:
    """Only what the figures need stays in memory: a trajectory is reduced as it is read."""
    if kind in run:
        raise DataError(f"{name!r}: a run has more than one {kind} file")
    run[kind] = Results.from_json(data, name) if kind == "results" else FinishedRun.of(Document.from_json(data, name))


def _finished(key: tuple[str, str, int], run: dict[str, Any]) -> tuple[tuple[str, str, int], Episode]:
    if "results" not in run:
        raise DataError(f"run {'/'.join(map(str, key))} has a .traj but no results.json")
    return key, read_run(task=key[1], seed=key[2], results=run["results"], run=run.get("traj"))


def _bundle(model: str, finished: list[tuple[tuple[str, str, int], Episode]]) -> Bundle:
    episodes = tuple(episode for key, episode in finished if key[0] == model)
    known = KNOWN_MODELS.get(model)
    return Bundle(
        schema_version=1,
        suite_version=SUITE_VERSION,
        origin="import",
        submitter="gymboard",
        entry=_entry(model, known),
        profile="official",
        harness_version=__version__,
        created=f"{PUBLISHED}T00:00:00Z",
        episodes=episodes,
        audit=audit_notes(model, episodes),
        citation=CITATION,
    )


def _entry(model: str, known: KnownModel | None) -> Entry:
    slug = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    return Entry(
        id=known.entry if known else f"{slug[:58]}-mlgym",
        agent="MLGym agent",
        agent_version="mlgym_bench_v0",
        model=known.model if known else model,
        model_label=known.label if known else model,
        organization=known.organization if known else None,
        url="https://arxiv.org/abs/2502.14499",
        open_weights=known.open_weights if known else None,
        date=PUBLISHED,
    )
