"""The files that an agent finds in its workspace, and the words that go with them.

Takes a task's folder and a variant, gives a folder to copy from and the instruction's text. Never changes the task.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.sandbox.owner import folder_prefix
from harness.schema.starter import Variant
from harness.schema.task import TaskSpec


@contextmanager
def laid_out(folder: Path, variant: Variant | None) -> Iterator[Path]:
    """starter/ itself, or a folder that is gone afterwards: empty, or a copy with the variant's files laid over it."""
    if variant is None:
        yield folder / "starter"
        return
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as made:
        laid = Path(made) / "starter"
        if variant.overlay is None:
            laid.mkdir()
        else:
            shutil.copytree(folder / "starter", laid)
            shutil.copytree(folder / variant.overlay, laid, dirs_exist_ok=True)
        yield laid


def instruction(task: TaskSpec, folder: Path, variant: Variant | None, dataset: str | None) -> str:
    """instruction.md, verbatim, then what is different about this starter and this dataset."""
    text = (folder / "instruction.md").read_text(encoding="utf-8")
    notes = [variant.note] if variant else []
    if dataset in task.datasets:
        notes.append(task.datasets[dataset].note)
    return text + "".join(f"\n{note}\n" for note in notes)
