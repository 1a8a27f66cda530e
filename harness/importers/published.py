"""The trajectories that MLGym published: which there are, and the bytes of one, whole and unchanged.

Takes a model, a task and a seed; gives bytes whose sha256 is the recorded one: from the cache, a mirror folder or
GitHub. Never gives others. Their text is CC BY-NC 4.0: it is cached on the reader's machine and is no part of this
repository.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tarfile
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import NamedTuple

import zstandard

from harness.errors import DataError, UsageError
from harness.home import home
from harness.schema.upstream import UPSTREAM_TASKS, UpstreamTask

ARCHIVE = "mlgym_bench_v0_five_models.tar.zst"
COMMIT = "9d40c1b5035202018cd7091fb4e83a9c68b377c0"
SOURCE = f"https://raw.githubusercontent.com/facebookresearch/MLGym/{COMMIT}/trajectories/"
CITATION = "MLGym (arXiv 2502.14499), github.com/facebookresearch/MLGym, CC BY-NC 4.0"
TIMEOUT_S = 30

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
    """Its bytes, checked. `mirror`: a folder with the archive. Raises DataError when no place has them whole."""
    cached = home() / "published" / f"{wanted.sha256}.traj"
    if cached.is_file() and _digest(data := cached.read_bytes()) == wanted.sha256:
        return data
    archive = mirror / ARCHIVE if mirror else None
    if archive and archive.is_file():
        data, place = _from_archive(archive, wanted), str(archive)
    else:
        place = SOURCE + wanted.path
        data = _download(place, wanted.size_bytes)
    if _digest(data) != wanted.sha256:
        raise DataError(
            f"{wanted.name}: {place} gave {len(data)} bytes with sha256 {_digest(data)}; published were "
            f"{wanted.size_bytes} bytes with sha256 {wanted.sha256}. Nothing was kept; try again, or another mirror"
        )
    _keep(cached, data)
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _from_archive(archive: Path, wanted: Published) -> bytes:
    try:
        with (
            archive.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as members,
        ):
            for member in members:
                if member.isreg() and member.name == wanted.path and (content := members.extractfile(member)):
                    return content.read(wanted.size_bytes + 1)
    except (OSError, tarfile.TarError, zstandard.ZstdError) as error:
        raise DataError(f"{archive} cannot be read as a .tar.zst ({error}); copy it again") from None
    raise DataError(f"{archive} has no {wanted.path}; is it the archive of the five published models?")


def _download(url: str, limit_bytes: int) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:  # noqa: S310  # https, and the digest is pinned
            data: bytes = reply.read(limit_bytes + 1)
            return data
    except (OSError, urllib.error.URLError) as error:
        raise DataError(
            f"cannot fetch {url} ({error}). Without a network, name a folder that holds {ARCHIVE}: "
            "--mirror FOLDER or GYMBOARD_DATA_MIRROR"
        ) from None


def _keep(cached: Path, data: bytes) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_name(f"{cached.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(cached)
