"""Fresh ids: the same prepared data under new opaque ids, in the order of these, for one replay.

Takes a prepared agent/ and grader/ folder and a salt that nobody knows before, writes two folders. Every id is renamed
the same way wherever it stands: in tables, as an array, as a file's name in an archive. Whatever has no id, the
labelled training rows among it, stays byte for byte. Never gives data in which an old id can still be found.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from harness.errors import DataError
from harness.schema.task import TaskSpec

LABELS = "labels.csv"
_ID = re.compile(r"(?:[0-9a-f]{2}){4,32}")
_SEARCHED = 50
"""Ids that are looked for in the files that were not rewritten."""
_CHUNK = 1 << 24

Ids = Mapping[str, str]
"""Old id -> new id."""


def has_ids(spec: TaskSpec) -> bool:
    """Whether the task's artifact is joined on opaque ids; for any other task there is nothing to rename."""
    return spec.grader.kind == "predictions"


def refresh(spec: TaskSpec, agent: Path, grader: Path, out: Path, salt: bytes) -> tuple[Path, Path]:
    """Write `out`/agent and `out`/grader; gives both. Raises DataError when an id stands where we cannot rename it."""
    ids = _renamed(spec, grader / LABELS, salt)
    seen: set[str] = set()
    for part, source in (("agent", agent), ("grader", grader)):
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            target = out / part / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            found = _rewritten(spec, file, target, ids)
            if not found:
                _linked(spec, file, target, ids)
            elif part == "agent":
                seen |= found
    if missing := len(ids.keys() - seen):
        raise DataError(f"{spec.id}: {missing} of {len(ids)} ids are in no file of agent/ that can be given new ones")
    for path in (out / "agent", *(out / "agent").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o444)
    (out / "grader").chmod(0o700)
    return out / "agent", out / "grader"


def _renamed(spec: TaskSpec, labels: Path, salt: bytes) -> Ids:
    """A new id of the same length for each one of the labels."""
    with labels.open(encoding="utf-8", newline="") as file:
        old = [row[str(spec.grader.key)] for row in csv.DictReader(file)]
    if odd := next((one for one in old if not _ID.fullmatch(one)), None):
        raise DataError(
            f"{spec.id}: the id {odd[:40]!r} is not opaque (8 to 64 hexadecimal digits), so it gets no other"
        )
    ids = {one: hashlib.shake_256(salt + b"/" + one.encode()).hexdigest(len(one) // 2) for one in old}
    if len(set(ids.values()) - ids.keys()) != len(old):
        raise DataError(f"{spec.id}: its ids are too short: two new ones are equal, or one is an old one")
    return ids


def _rewritten(spec: TaskSpec, file: Path, target: Path, ids: Ids) -> set[str]:
    """The old ids that were found and renamed; none: the target was not written."""
    if file.suffix == ".csv":
        return _table(str(spec.grader.key), file, target, ids)
    if file.suffix == ".npz":
        return _arrays(file, target, ids)
    return _archive(file, target, ids) if file.suffix == ".zip" else set()


def _table(key: str, file: Path, target: Path, ids: Ids) -> set[str]:
    """A table with the key's column, its rows in the order of the new ids; a cell may be an id or `<id>.<suffix>`."""
    with file.open(encoding="utf-8", newline="") as source:
        rows = csv.reader(source)
        header = next(rows, [])
        if key not in header:
            return set()
        place, found = header.index(key), list(rows)
    seen = {row[place] for row in found} & ids.keys()
    if seen:
        new = sorted(([_name(cell, ids) for cell in row] for row in found), key=lambda row: row[place])
        with target.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows([header, *new])
    return seen


def _name(text: str, ids: Ids) -> str:
    stem, dot, suffix = text.partition(".")
    return ids.get(stem, stem) + dot + suffix


def _arrays(file: Path, target: Path, ids: Ids) -> set[str]:
    """An .npz with an array of ids; every array of its length goes along in the new order."""
    with np.load(file, allow_pickle=False) as held:
        names = [name for name in held.files if held[name].dtype.kind == "U" and held[name].ndim == 1]
        keys = next((held[name] for name in names if set(held[name].tolist()) <= ids.keys()), None)
        if keys is None or not len(keys):
            return set()
        order = np.argsort(np.array([ids[one] for one in keys.tolist()]))
        arrays = {name: held[name] for name in held.files}
    for name, array in arrays.items():
        if name in names and set(array.tolist()) <= ids.keys():
            array = np.array([ids[one] for one in array.tolist()])
        arrays[name] = array[order] if array.shape[:1] == keys.shape else array
    np.savez(target, **arrays)
    return set(keys.tolist())


def _archive(file: Path, target: Path, ids: Ids) -> set[str]:
    """A .zip whose members are called `<id>.<suffix>`; its members in the order of their new names."""
    with zipfile.ZipFile(file) as held:
        members = {info.filename: info for info in held.infolist()}
        seen = {Path(name).name.partition(".")[0] for name in members} & ids.keys()
        if not seen:
            return set()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as out:
            named = {str(Path(name).with_name(_name(Path(name).name, ids))): info for name, info in members.items()}
            for name in sorted(named):
                info = zipfile.ZipInfo(name, named[name].date_time)
                with held.open(named[name]) as source, out.open(info, "w") as sink:
                    shutil.copyfileobj(source, sink)
    return seen


def _linked(spec: TaskSpec, file: Path, target: Path, ids: Ids) -> None:
    """The very file, once none of some of the old ids was found in its bytes."""
    wanted = re.compile(b"|".join(one.encode() for one in sorted(ids)[:_SEARCHED]))
    rest = b""
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            if wanted.search(rest + chunk):
                raise DataError(f"{spec.id}: {file.name} holds ids in a form that can get no new ones")
            rest = chunk[-64:]
    try:
        os.link(file, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, target)
