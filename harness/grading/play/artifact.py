"""What a play artifact may be: exactly the declared files; text is UTF-8 without NUL, arrays are safetensors.

Takes frozen bytes and the task's declaration, raises InvalidArtifact with every fault; never runs or parses the code.
"""

from __future__ import annotations

from harness.errors import InvalidArtifact
from harness.grading.base import Artifact
from harness.grading.safetensors import safetensors_fault
from harness.schema.task import ArtifactFile, TaskSpec

TEXT_CAP = 64 * 1024


def check_artifact(task: TaskSpec, artifact: Artifact) -> None:
    """Refuse missing, undeclared or oversized files, and Python that is no UTF-8 text of at most 64 KiB, and
    checkpoints that are anything but safetensors."""
    declared = {file.path: file for file in task.artifact}
    faults = [f"{name} is missing" for name in declared if name not in artifact]
    faults += [
        f"{name!r} is not part of the artifact ({', '.join(declared)})" for name in artifact if name not in declared
    ]
    faults += [fault for name, file in declared.items() if name in artifact for fault in _faults(file, artifact[name])]
    if faults:
        raise InvalidArtifact("; ".join(faults))


def _faults(file: ArtifactFile, content: bytes) -> list[str]:
    cap = min(file.max_bytes, TEXT_CAP) if file.media == "python" else file.max_bytes
    if len(content) > cap:
        return [f"{file.path} has {len(content)} bytes, at most {cap} are allowed"]
    if file.media == "safetensors":
        fault = safetensors_fault(content)
        return [f"{file.path} is no safetensors file: {fault}"] if fault else []
    if file.media != "python":
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"{file.path} is not UTF-8 text (byte {error.start})"]
    return [f"{file.path} contains a NUL character"] if "\0" in text else []
