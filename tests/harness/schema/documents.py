"""One valid document of each published record, as plain data that a test may spoil."""

from __future__ import annotations

import copy
from typing import Any

DIGEST = "0" * 64
VERDICT: dict[str, Any] = {
    "split": "sealed",
    "metrics": {"r2": 0.88, "rmse": 30340.1},
    "stderr": {"r2": 0.013},
    "n": 292,
    "grader_version": "1.0.0",
    "duration_s": 0.5,
}
EPISODE: dict[str, Any] = {
    "task": "house-price",
    "task_version": "1.0.0",
    "profile": "official",
    "seed": 0,
    "exit_status": "success",
    "steps": 2,
    "actions": {"Bash": 1, "Submit": 1},
    "trace": "BU",
    "attempts": [{"index": 0, "step": 2, "kind": "submit", "artifact_sha256": DIGEST, "sealed": VERDICT}],
    "usage": {"input_tokens": 10, "wall_s": 1.5},
}
HARDWARE = {"cpu": "AMD EPYC", "cores": 2, "memory_gib": 16.0}
BUNDLE: dict[str, Any] = {
    "schema_version": 1,
    "suite_version": "1.0.0",
    "origin": "run",
    "submitter": "github:12345",
    "entry": {"id": "my-agent", "agent": "My agent", "agent_version": "1.2", "date": "2026-11-20"},
    "profile": "official",
    "sandbox": "docker",
    "images": {"cpu": "sha256:" + DIGEST},
    "tasks_sha256": {"house-price": DIGEST},
    "harness_version": "0.1.0",
    "hardware": HARDWARE,
    "created": "2026-11-20T12:00:00Z",
    "episodes": [EPISODE],
    "payload": [{"name": "house-price.tar.zst", "sha256": DIGEST, "size_bytes": 10}],
}
RUN: dict[str, Any] = {
    "schema_version": 1,
    "run": "first",
    "agent": "baseline",
    "agent_version": "1",
    "profile": "smoke",
    "sandbox": "local",
    "tasks": ["house-price"],
    "seeds": [0, 1],
    "images": {},
    "tasks_sha256": {"house-price": DIGEST},
    "harness_version": "0.1.0",
    "hardware": HARDWARE,
    "created": "2026-11-20T12:00:00Z",
}


def spoilt(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `document` with `value` at `path` (dotted; list places are numbers)."""
    tree = copy.deepcopy(document)
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = tree
    for part in above:
        place = place[part]
    place[last] = value
    return tree
