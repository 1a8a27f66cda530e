"""The trajectories that MLGym published: which there are, and the bytes of one, whole and unchanged.

Takes a model, a task and a seed; gives bytes whose sha256 is the recorded one: from the cache, a mirror folder or
GitHub. Never gives others. Their text is CC BY-NC 4.0: it is cached on the reader's machine and is no part of this
repository.
"""

from __future__ import annotations

import difflib
import hashlib
import tarfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import zstandard

from harness.data.download import https_opener
from harness.data.sources import obtain
from harness.errors import DataError, UsageError
from harness.home import home
from harness.schema.task import Source
from harness.schema.upstream import UPSTREAM_TASKS, UpstreamTask

ARCHIVE = "mlgym_bench_v0_five_models.tar.zst"
COMMIT = "9d40c1b5035202018cd7091fb4e83a9c68b377c0"
SOURCE = f"https://raw.githubusercontent.com/facebookresearch/MLGym/{COMMIT}/trajectories/"
CITATION = "MLGym (arXiv 2502.14499), github.com/facebookresearch/MLGym, CC BY-NC 4.0"

TASKS = {task.id: task for task in UPSTREAM_TASKS}


class Model(NamedTuple):
    """A model in upstream's word and in ours."""

    upstream: str
    label: str


MODELS = {
    "claude-3-5-sonnet": Model("claude-35-sonnet-new", "Claude 3.5 Sonnet"),
    "gemini-1-5-pro": Model("gemini-15-pro", "Gemini 1.5 Pro"),
    "gpt-4o": Model("gpt4o2", "GPT-4o"),
    "llama-3-1-405b-instruct": Model("llama3-405b-tools", "Llama 3.1 405B Instruct"),
    "o1-preview": Model("gpt-o1", "OpenAI o1-preview"),
}


class Published(NamedTuple):
    """One published trajectory: its names, size and digest, all from published.tsv."""

    model: str
    task: str
    seed: int
    size_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.model}/{self.task} seed {self.seed}"

    @property
    def upstream_task(self) -> UpstreamTask:
        return TASKS[self.task]

    @property
    def path(self) -> str:
        """Its place in the archive, and in MLGym's repository under trajectories/."""
        task = self.upstream_task.upstream_id
        run = f"{task}__default__t-0.00__p-0.95__c-4.00__install-0__parallel_agents_run_{self.seed}"
        return f"mlgym_bench_v0/metagen-{MODELS[self.model].upstream}__{run}/{task}.traj"


@cache
def catalogue() -> tuple[Published, ...]:
    """Every published trajectory of the five models, sorted by model, task, seed."""
    lines = Path(__file__).with_name("published.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return tuple(Published(model, task, int(seed), int(size), digest) for model, task, seed, size, digest in rows)


def find(episode: str, seed: int) -> Published:
    """The trajectory of `<model>/<task>` and a seed. Raises UsageError that names what there is."""
    there = [row for row in catalogue() if f"{row.model}/{row.task}" == episode]
    if not there:
        names = sorted({f"{row.model}/{row.task}" for row in catalogue()})
        near = difflib.get_close_matches(episode, names, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        models, tasks = ", ".join(MODELS), ", ".join(TASKS)
        raise UsageError(f"no published episode {episode!r}.{meant} It is MODEL/TASK; models: {models}; tasks: {tasks}")
    for row in there:
        if row.seed == seed:
            return row
    seeds = ", ".join(str(row.seed) for row in there)
    raise UsageError(f"{episode} has no published seed {seed}; there are: {seeds}")


def fetch(wanted: Published, mirror: Path | None = None) -> bytes:
    """Its bytes, checked. `mirror`: a folder with the archive, or with what was in it. Raises DataError when no place
    has them whole.
    """
    archive = mirror / ARCHIVE if mirror else None
    if archive and archive.is_file():
        return _from_archive(archive, wanted)
    source = Source(
        name=wanted.path,
        mirror=wanted.path,
        urls=(SOURCE + wanted.path,),
        sha256=wanted.sha256,
        size_bytes=wanted.size_bytes,
    )
    try:
        return obtain(source, home() / "published", mirror, https_opener()).read_bytes()
    except DataError as error:
        raise DataError(f"{error}\nThe archive {ARCHIVE} in that folder does as well.") from None


def _from_archive(archive: Path, wanted: Published) -> bytes:
    try:
        with (
            archive.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as members,
        ):
            for member in members:
                if member.isreg() and member.name == wanted.path and (content := members.extractfile(member)):
                    return _checked(content.read(wanted.size_bytes + 1), wanted, archive)
    except (OSError, tarfile.TarError, zstandard.ZstdError) as error:
        raise DataError(f"{archive} cannot be read as a .tar.zst ({error}); copy it again") from None
    raise DataError(f"{archive} has no {wanted.path}; is it the archive of the five published models?")


def _checked(data: bytes, wanted: Published, archive: Path) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != wanted.sha256:
        raise DataError(f"{archive}: {wanted.path} has sha256 {found}, published was {wanted.sha256}; use another copy")
    return data
