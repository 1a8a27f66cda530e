"""The oracle: hands in a known good answer. It proves that a task can be won; it is never an entry."""

from __future__ import annotations

from pathlib import Path

from harness.agents.scripted import ScriptedAgent
from harness.errors import UsageError
from harness.grading.base import Artifact
from harness.schema.steps import Action
from harness.schema.task import TaskSpec


def oracle_artifact(task: TaskSpec, folder: Path, grader_data: Path | None) -> Artifact:
    """The winning files: from the labels for predictions, else tasks/<id>/grader/oracle/. Raises UsageError."""
    if task.grader.kind == "predictions":
        from harness.grading.predictions import oracle_artifact as from_labels

        if grader_data is None:
            raise UsageError(f"{task.id}: the oracle needs the prepared data (gymboard data prepare {task.id})")
        return from_labels(task, grader_data)
    where = folder / "grader" / "oracle"
    missing = [file.path for file in task.artifact if not (where / file.path).is_file()]
    if missing:
        raise UsageError(f"{task.id}: no oracle: {', '.join(missing)} not found in grader/oracle/")
    return {file.path: (where / file.path).read_bytes() for file in task.artifact}


def oracle_agent(artifact: Artifact) -> ScriptedAgent:
    """Writes the files and submits."""
    writes = [Action(kind="write", path=path, data=data) for path, data in artifact.items()]
    return ScriptedAgent("oracle", [*writes, Action(kind="submit")])
