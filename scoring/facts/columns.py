"""The columns of a segment's files. Takes nothing, gives names and Arrow types; `local` numbers a segment's entries.

READER names this table and the reading behind it: facts that another reader wrote are read again.
"""

from __future__ import annotations

import hashlib
import json
from typing import get_args

from harness.schema.episode import ActionClass

MEANING = 3
"""Raise it when the same columns come to mean something else."""
ACTIONS: tuple[ActionClass, ...] = get_args(ActionClass)
USAGE = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "api_calls")
MEASURED = ("wall_s", "gpu_s", "reported_cost_usd")
ENTRY = (
    *("entry", "bundle_sha256", "origin", "submitter", "agent", "agent_version", "model", "model_label"),
    *("organization", "url", "open_weights", "date", "profile", "sandbox", "suite_version", "harness_version"),
    *("created", "citation_title", "citation_url", "citation_licence"),
)

COLUMNS: dict[str, dict[str, str]] = {
    "entries": {"local": "int32", "evidence": "text", "size": "int32"}
    | {name: "bool" if name == "open_weights" else "text" for name in ENTRY},
    "episodes": {
        "local": "int32",
        "task": "text",
        "seed": "int64",
        "task_version": "text",
        "exit_status": "text",
        "started": "text",
        "steps": "int64",
        "validate_calls": "int64",
        "trace": "text",
        "variant": "text",
        "dataset": "text",
        **{f"act_{action.lower()}": "int64" for action in ACTIONS},
        **dict.fromkeys(USAGE, "int64"),
        **dict.fromkeys(MEASURED, "double"),
        "n_attempts": "int64",
        "last_artifact": "bool",
        "last_regraded": "bool",
    },
    "attempts": {
        "local": "int32",
        "task": "text",
        "seed": "int64",
        "attempt": "int64",
        "step": "int64",
        "kind": "text",
        "is_last": "bool",
        "artifact": "digest",
        "source": "text",
        "metric": "text",
        "value": "double",
        "stderr": "double",
        "n": "int64",
        "invalid": "text",
    },
    "baselines": {"local": "int32", "task": "text", "metric": "text", "value": "double"},
    "notes": {
        "local": "int32",
        "task": "text",
        "seed": "int64",
        "metric": "text",
        "value": "double",
        "finding": "text",
        "evidence": "text",
    },
}
READER = hashlib.sha256(json.dumps([MEANING, COLUMNS]).encode()).hexdigest()
