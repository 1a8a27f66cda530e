"""What two machines must have in common to play one run: Gymboard's code, tasks, images, and files that a call names.

Takes a run's words, gives a Stamp of this machine, and what is wrong here against another's. Never plays anything, and
never prepares data.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import harness
from harness.errors import GymboardError, in_words
from harness.executors.words import RunWords
from harness.images import cuda_variant
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.sandbox.gpus import parse_gpus
from harness.schema.base import Record
from harness.schema.digest import file_sha256, folder_sha256
from harness.schema.task import load_task


class Stamp(Record):
    """One machine. `tasks`, `images` and `files`: name -> digest; `code`: of the package harness, as installed."""

    version: str
    code: str
    tasks: dict[str, str]
    files: dict[str, str]
    images: dict[str, str] = {}


def stamp_of(words: RunWords, engine: Engine | None = None) -> Stamp:
    """This machine's. Without an engine it names no images. Raises DataError, UsageError, ImageError, OSError."""
    return Stamp(
        version=harness.__version__,
        code=_code(),
        tasks={task: folder_sha256(words.root / task) for task in words.tasks},
        files=_files(words),
        images=_images(words, engine) if engine else {},
    )


def faults_of(words: RunWords, wanted: Stamp) -> list[str]:
    """Why this machine cannot play these words as the driver would, each with what to do; none: it can.

    Opens an engine, which removes what dead runs left here.
    """
    if other := _another_suite(words, wanted):
        return other
    faults = []
    if words.mirror is not None and not words.mirror.is_dir():
        faults.append(f"--mirror {words.mirror} is not there: put the same files there, or leave it out")
    try:
        with open_engine(words.sandbox, parse_gpus(words.gpus)) as engine:
            faults += _differing("image", wanted.images, _images(words, engine), "gymboard images pull, on both")
        words.plan()
    except GymboardError as error:
        faults.append(str(error))
    return faults


def _another_suite(words: RunWords, wanted: Stamp) -> list[str]:
    """Other code, tasks or files: nothing else needs to be looked at then."""
    advice = f'install the same one: pip install "gymboard[ray]=={wanted.version}"'
    if harness.__version__ != wanted.version:
        return [f"it has gymboard {harness.__version__}, the driver {wanted.version}; {advice}"]
    if _code() != wanted.code:
        return [f"its gymboard {wanted.version} is other code than the driver's; {advice}, from the same place"]
    try:
        ours = stamp_of(words)
    except (GymboardError, OSError) as error:
        return [in_words(error)]
    return [
        *_differing("task", wanted.tasks, ours.tasks, advice),
        *_differing("file of", wanted.files, ours.files, "put the same there, or the path on a shared file system"),
    ]


def _differing(kind: str, wanted: Mapping[str, str], ours: Mapping[str, str], advice: str) -> list[str]:
    names = [name for name, digest in wanted.items() if ours.get(name) != digest]
    return [f"its {kind} {', '.join(names)} is not the driver's; {advice}"] if names else []


def _images(words: RunWords, engine: Engine) -> dict[str, str]:
    families = {load_task(words.root / task).image for task in words.tasks}
    variants = {variant for family in families if words.gpus != "none" and (variant := cuda_variant(family))}
    return {name: engine.image_digest(name) for name in sorted(families | variants)}


def _files(words: RunWords) -> dict[str, str]:
    """What the call names by its path, and must be the same on every machine."""
    given = {"--program": words.program, "--agent-file": words.agent_file, "--from": words.source}
    return {name: _digest(path) for name, path in given.items() if path is not None}


def _digest(path: Path) -> str:
    return folder_sha256(path, caches=True) if path.is_dir() else file_sha256(path)


@cache
def _code() -> str:
    return folder_sha256(Path(harness.__file__).parent)
