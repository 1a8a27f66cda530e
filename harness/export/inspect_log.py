"""Episodes as logs of Inspect (UK AISI), which its viewer and its data frames read.

Takes Told episodes, gives one log a source and task as plain JSON (log version 2): a sample an episode, its seed the
epoch, the ranked metric as its score. Written from the format's documentation and read back by Inspect's own reader in
a test; the package itself is not needed. Never states a limit or a tool that the episode does not record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from harness import __version__
from harness.export.chat import Message, Row, row
from harness.export.source import Told
from harness.files import replace_file
from harness.schema.task import TaskSpec

UNKNOWN_TIME = "1970-01-01T00:00:00+00:00"


def write_inspect(every: Iterable[Told], tasks: dict[str, TaskSpec], out: Path) -> list[Path]:
    """`out`/<source>_<task>.json each."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for (source, task), told in groupby(every, key=lambda one: (one.source, one.episode.task)):
        log = inspect_log(list(told), tasks[task])
        written.append(replace_file(out / f"{source}_{task}.json", json.dumps(log, indent=1).encode()))
    return written


def inspect_log(every: Sequence[Told], task: TaskSpec) -> dict[str, Any]:
    """The log of one task's episodes of one source."""
    rows = [row(told, task) for told in every]
    first = rows[0]
    model = first.model or f"none/{first.agent}"
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": f"{first.source}-{task.id}",
            "run_id": first.source,
            "created": _time(every[0].episode.started),
            "task": f"gymboard/{task.id}",
            "task_id": f"{first.source}-{task.id}",
            "task_version": task.version,
            "solver": first.agent,
            "dataset": {"name": task.id, "samples": 1, "sample_ids": [task.id]},
            "model": model,
            "config": {"epochs": len(rows)},
            "packages": {"gymboard": __version__},
            "metadata": {"profile": first.profile, "level": first.level},
        },
        "plan": {"name": "plan", "steps": [{"solver": first.agent, "params": {}}]},
        "results": {"total_samples": len(rows), "completed_samples": len(rows), "scores": _scores(rows)},
        "stats": {"started_at": _time(every[0].episode.started), "completed_at": "", "model_usage": {}},
        "samples": [
            _sample(told, one, epoch, model) for epoch, (told, one) in enumerate(zip(every, rows, strict=True), 1)
        ],
    }


def _scores(rows: Sequence[Row]) -> list[dict[str, Any]]:
    scored = [one.score for one in rows if one.score is not None]
    mean = sum(scored) / len(scored) if scored else 0.0
    name = rows[0].metric
    metrics = {"mean": {"name": "mean", "value": mean}} if scored else {}
    return [{"name": name, "scorer": name, "scored_samples": len(scored), "metrics": metrics}]


def _sample(told: Told, one: Row, epoch: int, model: str) -> dict[str, Any]:
    messages = [_message(message, model) for message in one.messages]
    usage = {
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "total_tokens": one.input_tokens + one.output_tokens,
        "input_tokens_cache_read": told.episode.usage.cached_tokens,
    }
    sample: dict[str, Any] = {
        "id": one.task,
        "epoch": epoch,
        "input": next(message.content for message in one.messages if message.role == "user"),
        "target": "",
        "messages": messages,
        "output": {"model": model, "choices": []},
        "model_usage": {model: usage} if one.model else {},
        "total_time": one.wall_s,
        "metadata": {"seed": one.seed, "exit_status": one.exit_status, "baseline": one.baseline, "steps": one.steps},
    }
    if one.score is not None:
        sample["scores"] = {one.metric: {"value": one.score, "metadata": {"gain": one.gain}}}
    return sample


def _message(message: Message, model: str) -> dict[str, Any]:
    if message.role in ("system", "user"):
        return {"role": message.role, "content": message.content}
    if message.role == "tool":
        return {
            "role": "tool",
            "content": message.content,
            "tool_call_id": message.tool_call_id,
            "function": message.name,
        }
    content: Any = message.content
    if message.reasoning_content:
        content = [{"type": "reasoning", "reasoning": message.reasoning_content}, {"type": "text", "text": content}]
    calls = [
        {"id": c.id, "function": c.function.name, "arguments": json.loads(c.function.arguments), "type": "function"}
        for c in message.tool_calls or ()
    ]
    return {"role": "assistant", "content": content, "tool_calls": calls or None, "model": model, "source": "generate"}


def _time(moment: str | None) -> str:
    return moment.replace("Z", "+00:00") if moment else UNKNOWN_TIME
