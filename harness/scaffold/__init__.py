"""A new task: a whole small one, which its author then changes into hers.

Takes a folder of tasks, an id and a kind of grader, gives tasks/<id>/ that `gymboard tasks check` proves as it is.
Never overwrites anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.schema.base import KebabId

Kind = Literal["predictions", "play", "claims"]
TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = ".tmpl"
LAST = "task.toml"


def new_task(root: Path, name: str, kind: Kind) -> Path:
    """Write `root`/`name`; task.toml last, so that what is not whole is no task. Raises UsageError."""
    try:
        TypeAdapter(KebabId).validate_python(name)
    except ValidationError:
        raise UsageError(f"{name!r} cannot name a task; take lower-case words and numbers joined by -") from None
    if not root.is_dir():
        raise UsageError(f"no folder {root}; run this where the tasks are, in a checkout of Gymboard")
    folder = root / name
    try:
        folder.mkdir()
    except FileExistsError:
        raise UsageError(f"{folder} is already there; choose another id, or remove it first") from None
    files = _files(kind, name)
    for path in sorted(files, key=lambda path: (path == LAST, path)):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
    return folder


def _files(kind: Kind, name: str) -> dict[str, bytes]:
    """Every file of the template, by its path in the task. A file that does not end in .tmpl is copied as it is."""
    words = {b"{{id}}": name.encode(), b"{{title}}": name.replace("-", " ").capitalize().encode()}
    files = {}
    for file in sorted((TEMPLATES / kind).rglob("*")):
        if not file.is_file():
            continue
        path, content = file.relative_to(TEMPLATES / kind).as_posix(), file.read_bytes()
        if path.endswith(TEMPLATE):
            path = path.removesuffix(TEMPLATE)
            for word, value in words.items():
                content = content.replace(word, value)
        files[path] = content
    return files
