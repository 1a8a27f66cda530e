"""What a prepared folder holds, file by file. Takes the folder, writes or checks manifest.json. Never repairs."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import Problem, SchemaError
from harness.files import replace_file
from harness.schema.base import KebabId, Record, Sha256, canonical_bytes
from harness.schema.digest import file_sha256
from harness.schema.task import ProfileName

PARTS = ("agent", "grader")
FILE = "manifest.json"


class Held(Record):
    """One file."""

    sha256: Sha256
    size_bytes: int


class Manifest(Record):
    """`made_of`: the digest over data.py, sources and parameters. `files`: by path, agent/... and grader/..."""

    task: KebabId
    profile: ProfileName
    made_of: Sha256
    files: dict[str, Held]


def write_manifest(folder: Path, task: str, profile: ProfileName, made_of: str) -> None:
    """Digest every file of agent/ and grader/."""
    files = {name: Held(sha256=file_sha256(path), size_bytes=path.stat().st_size) for name, path in _files(folder)}
    manifest = Manifest(task=task, profile=profile, made_of=made_of, files=files)
    replace_file(folder / FILE, canonical_bytes(manifest.model_dump(mode="json"))).chmod(0o444)


def faults(folder: Path) -> list[Problem]:
    """Every file that is missing, changed, or was not there when the folder was made."""
    try:
        manifest = Manifest.from_json((folder / FILE).read_bytes(), subject=str(folder / FILE))
    except (OSError, SchemaError) as error:
        return [Problem(str(folder / FILE), f"cannot be read ({error})")]
    found = dict(_files(folder))
    problems = [Problem(str(folder / name), "is missing") for name in manifest.files.keys() - found.keys()]
    problems += [Problem(str(folder / name), "was not there") for name in found.keys() - manifest.files.keys()]
    for name in found.keys() & manifest.files.keys():
        path, held = found[name], manifest.files[name]
        if path.is_symlink() or path.stat().st_size != held.size_bytes or file_sha256(path) != held.sha256:
            problems.append(Problem(str(path), "has other bytes than when it was made"))
    return sorted(problems)


def _files(folder: Path) -> list[tuple[str, Path]]:
    walked = (Path(top) / name for part in PARTS for top, _, names in os.walk(folder / part) for name in names)
    return sorted((path.relative_to(folder).as_posix(), path) for path in walked)
