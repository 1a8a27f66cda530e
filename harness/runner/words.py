"""What the agent reads: results of commands and of validate, as text."""

from __future__ import annotations

from harness.sandbox.base import ExecResult
from harness.schema.episode import Verdict
from harness.schema.task import ProfileName, TaskSpec


def command_text(result: ExecResult) -> str:
    """Both streams, then what a reader must know about how the command ended."""
    parts = [result.stdout.rstrip("\n"), result.stderr.rstrip("\n")]
    if result.dropped_bytes:
        parts.append(f"[{result.dropped_bytes} bytes of output dropped from the middle]")
    if result.note:
        parts.append(f"[{result.note}]")
    if result.exit_code != 0:
        parts.append(f"[exit code {result.exit_code}]" if result.exit_code is not None else "[no exit code]")
    return "\n".join(part for part in parts if part) or "[no output]"


def verdict_text(task: TaskSpec, profile: ProfileName, verdict: Verdict) -> str:
    """A validation verdict: every metric with its standard error, and the baseline's score beside the ranked one."""
    if not verdict.valid:
        return f"invalid artifact: {verdict.invalid}"
    lines = []
    for metric in task.metrics:
        value = verdict.metrics[metric.name]
        error = verdict.stderr.get(metric.name)
        spread = f" +- {error:.4g}" if error is not None else ""
        better = "higher" if metric.direction == "max" else "lower"
        lines.append(f"validation {metric.label} = {value:.6g}{spread} ({better} is better)")
    if baseline := task.baseline(profile):
        lines.append(f"the baseline scores {baseline.value:.6g} on the sealed split")
    return "\n".join(lines)
