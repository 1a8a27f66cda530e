"""One made-up entry: its bundle and what the regrade found, as plain trees that the schemas accept as they are.

Takes a board's seed and the entry's number, gives a Made. The same two numbers give the same entry, whatever board it
stands on. Never writes a file, never reads one but the price table.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from harness.schema.bundle import SCHEMA_VERSION, SUITE_VERSION
from harness.schema.prices import load_prices
from tests.benchmarks import synthetic_shape as shape
from tests.benchmarks.synthetic_episode import DAY, Runs, Tree
from tests.benchmarks.synthetic_shape import TASKS


@dataclass(frozen=True)
class Made:
    """One entry. `found`: the verdicts of its regrade, empty when it never had one."""

    id: str
    kind: str
    bundle: Tree
    found: list[Tree]


def make_entry(seed: int, index: int) -> Made:
    """Entry `index` of the boards of `seed`."""
    kind = shape.KINDS.get(index % 100, "ordinary")
    name = f"entry-{index:05}"
    source = f"entry-{index - 1:05}" if kind in (shape.TWIN, shape.COPY) else name
    about = random.Random(f"{seed}/about/{name}")
    model = about.choice((*_priced(), *_priced(), *shape.UNPRICED, *shape.UNPRICED, None))
    draw = random.Random(f"{seed}/runs/{source}")
    runs = Runs(
        draw,
        salt=f"{seed} {source if kind == shape.COPY else name}",
        kind=kind,
        ability=draw.gauss(0, shape.ABILITY_SD),
        calls=model is not None,
        output=draw.gauss(*shape.OUTPUT_A_STEP[:2]),
        cached=about.choice((0.0, 0.0, 0.5, 0.8)),
        reasoning=about.choice((0.0, 0.0, 0.6)),
    )
    episodes, found = _episodes(runs, kind)
    return Made(name, kind, _bundle(name, index, kind, model, about, episodes), [] if kind == shape.SIGNED else found)


def _episodes(runs: Runs, kind: str) -> tuple[list[Tree], list[Tree]]:
    """All of them, in order of tasks and seeds. Every task is drawn, so that a partial entry is one with tasks cut."""
    best = runs.draw.randrange(len(TASKS))
    episodes: list[Tree] = []
    found: list[Tree] = []
    for place, task in enumerate(TASKS):
        level = task.progress + runs.ability + runs.draw.gauss(0, shape.AFFINITY_SD)
        leads = kind == shape.BREAKTHROUGH and place == best
        for seed in range(4):
            episode, verdicts = runs.episode(task, seed, level + leads, 1.15 if leads else 0.995)
            if kind != shape.PARTIAL or place < 9:
                episodes.append(episode)
                found += verdicts
    return episodes, found


def _bundle(name: str, index: int, kind: str, model: str | None, about: random.Random, episodes: list[Tree]) -> Tree:
    entry: Tree = {"id": name, "agent": about.choice(("mlgym", "aide", "own-loop")), "agent_version": "1.2"}
    entry |= {"date": DAY, "organization": f"Laboratory {index // 5}", "url": "https://example.org/agent"}
    if model:
        entry |= {"model": model, "model_label": f"{model} ({name})", "open_weights": "llama" in model}
    tasks = sorted({episode["task"] for episode in episodes})
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_version": SUITE_VERSION,
        "origin": "run",
        "submitter": f"github:{1000 + (index if kind == shape.COPY else index // 5 * 5)}",
        "entry": entry,
        "profile": "smoke" if kind == shape.SMOKE else "official",
        "sandbox": "local" if kind == shape.LOCAL else "docker",
        "images": {family: f"sha256:{_hex(family)}" for family in ("cpu", "gpu", "rl")},
        "tasks_sha256": {task: _hex(task) for task in tasks},
        "harness_version": "0.1.0",
        "harness_commit": _hex("commit")[:40],
        "hardware": {"cpu": "AMD EPYC", "cores": 8, "memory_gib": 64.0, "gpu": "NVIDIA L4"},
        "created": f"{DAY}T23:00:00Z",
        "episodes": episodes,
        "payload": [_part(name, task, about.randrange(10**5, 10**7)) for task in tasks],
        "audit": [],
    }


def _part(name: str, task: str, size: int) -> Tree:
    file = f"{task}.tar.zst"
    place = f"https://example.org/payloads/{name}/{file}"
    return {"name": file, "sha256": _hex(f"{name} {task}"), "size_bytes": size, "location": place}


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _priced() -> tuple[str, ...]:
    return tuple(price.models[0] for price in load_prices().prices)
