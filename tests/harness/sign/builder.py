"""A small real run on disk: two tasks, two seeds, valid, invalid and refused attempts, real artifact bytes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.grading.base import artifact_sha256
from harness.runner.trajectory import build_trajectory
from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle, Entry, Hardware
from harness.schema.episode import Attempt, Episode, Usage, Verdict, counted, traced
from harness.schema.run import RunManifest
from harness.schema.steps import Action, StepLine
from harness.schema.trajectory import TrajectoryAgent
from harness.signing import NAMESPACE, Signers

SUBMITTER = "github:1234"
ENTRY = Entry(id="tiny-entry", agent="baseline", agent_version="1.0.0", date="2026-11-20")

TASK_TOML = """
id = "{id}"
version = "1.0.0"
upstream_id = "{id}"
title = "Tiny"
summary = "A task for tests."
domain = "data-science"
image = "cpu"
replay = "no"
public_labels = false
starter_command = ""
differences = ["a test"]
not_stopped = ["nothing"]

[[metrics]]
name = "{metric}"
label = "M"
direction = "{direction}"
unit = "1"
minimum = 0.0

[[artifact]]
path = "{path}"
max_bytes = 100000
media = "csv"

[grader]
kind = "{kind}"
version = "1.0.0"
regrade_tolerance = {tolerance}
{grader}

[[baselines]]
origin = "measured"
profile = "smoke"
metric = "{metric}"
value = 1.0
source = "a test"

[limits]
steps = 50
wall_time_s = 600
command_time_s = 25
training_time_s = 100
cost_usd = 4.0
validations = 3

[profiles.official]
[profiles.smoke]
"""
PREDICTIONS = {
    "id": "tiny-predictions",
    "metric": "rmse",
    "direction": "min",
    "path": "out/submission.csv",
    "kind": "predictions",
    "tolerance": "1e-9",
    "grader": 'key = "id"\ntarget = "y"\ntarget_type = "float"',
}
PLAY = {
    "id": "tiny-play",
    "metric": "score",
    "direction": "max",
    "path": "strategy.py",
    "kind": "play",
    "tolerance": "0.0",
    "grader": 'adapter = "strategy"',
}


def write_tasks(root: Path) -> Path:
    for task in (PREDICTIONS, PLAY):
        folder = root / task["id"]
        (folder / "starter").mkdir(parents=True)
        (folder / "instruction.md").write_text("Do it.\n")
        (folder / "starter" / "baseline.py").write_text("print('hello')\n")
        (folder / "task.toml").write_text(TASK_TOML.format(**task))
    return root


def verdict(metric: str, value: float | None, **more: object) -> Verdict:
    metrics = {} if value is None else {metric: value}
    invalid = "three ids are missing" if value is None else None
    fields = {"split": "sealed", "metrics": metrics, "invalid": invalid, "grader_version": "1.0.0", "duration_s": 0.1}
    return Verdict(**{**fields, **more})


def play_verdict(value: float) -> Verdict:
    return verdict("score", value, stderr={"score": 0.01}, n=500, seed="ab" * 32)


Handed = tuple[dict[str, bytes] | None, Verdict | None]


def write_episode(run: Path, task: str, seed: int, handed: list[Handed], *, exit_status: str = "success") -> Episode:
    folder = run / task / f"seed-{seed}"
    attempts = []
    for index, (artifact, sealed) in enumerate(handed):
        kind = "submit" if index == len(handed) - 1 else "validate"
        fields: dict[str, object] = {"index": index, "step": 5 - len(handed) + index, "kind": kind, "sealed": sealed}
        if artifact is None:
            fields["refused"] = "submission.csv is a link"
        else:
            fields |= {"artifact_sha256": artifact_sha256(artifact), "artifact_bytes": sum(map(len, artifact.values()))}
            for name, data in artifact.items():
                file = folder / "attempts" / str(index) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        attempts.append(Attempt(**fields))
    folder.mkdir(parents=True, exist_ok=True)
    actions = [Action(kind="bash", command="make")] * (4 - len(handed))
    actions += [Action(kind=attempt.kind) for attempt in attempts]
    lines = [
        StepLine(step=n, time="2026-11-20T10:00:00Z", action=action, observation=f"line {n}\n" * 20, duration_s=0.5)
        for n, action in enumerate(actions, start=1)
    ]
    steps = folder / "steps.jsonl"
    steps.write_text("".join(line.model_dump_json(exclude_defaults=True) + "\n" for line in lines))
    (folder / "workspace.patch").write_text(f"--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new {seed}\n")
    episode = Episode(
        task=task,
        task_version="1.0.0",
        profile="smoke",
        seed=seed,
        exit_status=exit_status,
        steps=4,
        actions=counted([action.action_class for action in actions]),
        trace=traced([action.action_class for action in actions]),
        attempts=tuple(attempts),
        usage=Usage(wall_s=12.5),
    )
    trajectory = build_trajectory(episode, TrajectoryAgent(name="baseline", version="1.0.0"), "Do it.", steps)
    (folder / "trajectory.json").write_bytes(trajectory.canonical())
    (folder / "episode.json").write_bytes(episode.canonical())
    return episode


def csv(*rows: float) -> dict[str, bytes]:
    return {"out/submission.csv": ("id,y\n" + "".join(f"{n},{row}\n" for n, row in enumerate(rows))).encode()}


def strategy(move: int) -> dict[str, bytes]:
    return {"strategy.py": f"def row_strategy(history):\n    return {move}\n".encode()}


def write_run(run: Path, **changes: object) -> Path:
    """Best and final differ, coincide, are refused, are invalid: one episode each."""
    write_episode(
        run, "tiny-predictions", 0, [(csv(1, 2, 3), verdict("rmse", 0.5)), (csv(1, 2, 4), verdict("rmse", 0.75))]
    )
    write_episode(run, "tiny-predictions", 1, [(csv(9), verdict("rmse", None))], exit_status="evaluation_error")
    write_episode(
        run,
        "tiny-play",
        0,
        [(strategy(0), play_verdict(1.25)), (strategy(2), play_verdict(1.0)), (strategy(1), play_verdict(2.5))],
    )
    write_episode(run, "tiny-play", 1, [(strategy(1), play_verdict(2.5)), (None, None)], exit_status="evaluation_error")
    fields: dict[str, object] = {
        "schema_version": 1,
        "run": run.name,
        "agent": "baseline",
        "agent_version": "1.0.0",
        "profile": "smoke",
        "sandbox": "docker",
        "tasks": ("tiny-predictions", "tiny-play"),
        "seeds": (0, 1),
        "images": {"cpu": "sha256:" + "1" * 64},
        "tasks_sha256": {"tiny-predictions": "2" * 64, "tiny-play": "3" * 64},
        "harness_version": "0.1.0",
        "hardware": Hardware(cpu="a processor", cores=2, memory_gib=4.0),
        "created": "2026-11-20T10:00:00Z",
    }
    (run / "run.json").write_bytes(RunManifest(**{**fields, **changes}).canonical())
    return run


@dataclass(frozen=True)
class Signed:
    """A packed and signed bundle with everything around it."""

    tasks: Path
    run: Path
    folder: Path
    key: Path
    signers: Signers
    bundle: Bundle

    def rewrite(self, change: Callable[[dict[str, object]], None]) -> None:
        """Change bundle.json as its own submitter could, and sign it again (past our own refusals)."""
        tree = json.loads((self.folder / "bundle.json").read_bytes())
        change(tree)
        (self.folder / "bundle.json").write_bytes(canonical_bytes(tree))
        stock_sign(self.folder, self.key)


def stock_sign(folder: Path, key: Path, namespace: str = NAMESPACE) -> None:
    """Sign as a stranger with nothing but OpenSSH would."""
    (folder / "bundle.json.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, str(folder / "bundle.json")]
    subprocess.run(command, check=True, capture_output=True)


def contents(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
