"""Pack: a run on disk -> a bundle folder, ready to be signed.

Takes runs/<run>/ and who enters it as what, gives bundle.json and one deterministic part a task: the same run gives
the same bytes. The folder is built beside its place and renamed, so it is there whole or not at all. Keys, tokens,
e-mail addresses and home paths are scrubbed from what is packed; an artifact that holds a key is refused. Never grades,
never changes the run, never leaves an episode out.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.archive import open_regular, write_archive
from harness.errors import CheckError, Problem, SchemaError, UsageError
from harness.files import flush
from harness.llm.journal import FILE as JOURNAL
from harness.llm.journal import read_journal
from harness.payload import LOGS, kept_attempts, part_name, scan_part
from harness.runner.locks import held
from harness.schema.base import Record, canonical_bytes
from harness.schema.bundle import SCHEMA_VERSION, SUITE_VERSION, Bundle, Entry, PayloadPart
from harness.schema.calls import total
from harness.schema.episode import Episode, Usage
from harness.schema.run import RunManifest
from harness.schema.task import load_task, tasks_root
from harness.scrub import Scrubber
from harness.signing import BUNDLE

MAX_WORDS = 2000
"""Characters of every text in an episode's record."""
LOCK, BUILT = "lock", "bundle"
"""In the folder that a pack works in: held while it does, and what becomes the bundle."""
TOKENS = tuple(name for name in Usage.model_fields if name.endswith("_tokens"))


def pack(
    run: Path,
    out: Path,
    entry: Entry,
    submitter: str,
    *,
    tasks: Path | None = None,
    location: str | None = None,
    scrubber: Scrubber | None = None,
) -> Bundle:
    """Write `out`/bundle.json and its parts from `run`; `out` must not be there yet (an empty folder may).

    `tasks` holds the task folders (the installed ones by default). `location`: the https folder where the parts will
    lie; without it they belong beside bundle.json. `scrubber` keeps the tally of what was scrubbed. Raises CheckError
    that names every missing or damaged episode and every artifact with a key in it, UsageError on links, strangers and
    an `out` that is in use.
    """
    scrubber = scrubber or Scrubber()
    manifest = RunManifest.from_json(_read(run, "run.json"), subject=str(run / "run.json"))
    _agree(entry, manifest)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is already there; remove it or choose another folder for the bundle")
    episodes = _episodes(run, manifest)
    with _built_beside(out) as beside:
        packing = _Packing(run, beside, episodes, tasks or tasks_root(), location, scrubber)
        parts = [packing.part(task) for task in sorted(manifest.tasks)]
        bundle = _bundle(manifest, entry, submitter, _scrubbed(episodes, scrubber), parts, _own_clients(run, episodes))
        (beside / BUNDLE).write_bytes(bundle.canonical())
    return bundle


def _agree(entry: Entry, manifest: RunManifest) -> None:
    """The entry must be about the agent that ran."""
    differ = [
        Problem(f"entry.{name}", f"is {getattr(entry, name)!r}, but the run was made by {getattr(manifest, name)!r}")
        for name in ("agent", "agent_version", "model")
        if getattr(entry, name) != getattr(manifest, name)
    ]
    if differ:
        raise CheckError(f"entry {entry.id}", differ)


def _read(run: Path, name: str) -> bytes:
    """A file of the run, reached without following a link."""
    _no_links(run, name)
    with open_regular(run / name) as file:
        return file.read()


def _no_links(run: Path, name: str) -> None:
    at = run
    for part in Path(name).parts:
        at = at / part
        if at.is_symlink():
            raise UsageError(f"{at} is a link; a bundle is packed from the run's own files only")


def _episodes(run: Path, manifest: RunManifest) -> dict[str, Episode]:
    """Every (task, seed) of the manifest. Raises CheckError with all that are missing or belong elsewhere."""
    found: dict[str, Episode] = {}
    problems: list[Problem] = []
    for task in sorted(manifest.tasks):
        for seed in sorted(manifest.seeds):
            key = f"{task}/seed-{seed}"
            try:
                found[key] = Episode.from_json(_read(run, f"{key}/episode.json"), subject=key)
            except SchemaError as error:
                problems += [Problem(f"{key}/episode.json: {fault.path}", fault.message) for fault in error.problems]
            except UsageError:
                hint = "did not finish; `gymboard run --resume` ends it, and a failed episode counts as one too"
                problems.append(Problem(f"{key}/episode.json", hint))
            else:
                there = found[key]
                if (there.key, there.profile) != (key, manifest.profile):
                    problems.append(Problem(f"{key}/episode.json", f"is about {there.key}, {there.profile}"))
                if (there.variant, there.dataset) != (manifest.variant, manifest.dataset):
                    problems.append(Problem(f"{key}/episode.json", "had another starter or dataset than run.json says"))
    if problems:
        raise CheckError(str(run), problems)
    return found


@dataclass(frozen=True)
class _Packing:
    """What every part of one pack is made from."""

    run: Path
    beside: Path
    episodes: Mapping[str, Episode]
    tasks: Path
    location: str | None
    scrubber: Scrubber

    def part(self, task: str) -> PayloadPart:
        """Write one task's part and read it back as a stranger would."""
        metric = load_task(self.tasks / task).metric
        mine = {key: episode for key, episode in self.episodes.items() if episode.task == task}
        artifacts: dict[str, Path] = {}
        for key, episode in mine.items():
            folders = [f"attempts/{attempt.index}" for attempt in kept_attempts(episode, metric)]
            for name in (file for folder in folders for file in _files(self.run / key, folder)):
                _no_links(self.run, f"{key}/{name}")
                artifacts[f"{key}/{name}"] = self.run / key / name
        self.scrubber.refuse_secrets(artifacts.items())
        file = self.beside / part_name(task)
        with tempfile.TemporaryDirectory() as made:
            logs = {f"{key}/{log}": self._log(key, log, Path(made)) for key in mine for log in LOGS}
            write_archive(file, artifacts | logs)
        scan_part(file, mine)
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        url = f"{self.location.rstrip('/')}/{file.name}" if self.location else None
        return PayloadPart(name=file.name, sha256=digest, size_bytes=file.stat().st_size, location=url)

    def _log(self, key: str, log: str, made: Path) -> Path:
        """The run's own file where nothing in it must go, else a scrubbed copy in `made`."""
        data = _read(self.run, f"{key}/{log}")
        clean = self.scrubber.log(f"{key}/{log}", log, data)
        if clean == data:
            return self.run / key / log
        copy = made / key / log
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(clean)
        return copy


def _scrubbed(episodes: Mapping[str, Episode], scrubber: Scrubber) -> dict[str, Episode]:
    """The episodes' own words (why one ended, why an artifact was refused) without what must not be published."""
    trees = {key: episode.model_dump(mode="json", exclude_none=True) for key, episode in episodes.items()}
    clean = {key: _short(tree, scrubber.tree(f"{key}/episode.json", tree)) for key, tree in trees.items()}
    return {key: Episode.from_json(canonical_bytes(tree), subject=key) for key, tree in clean.items()}


def _short(was: Any, clean: Any) -> Any:
    """What a mark made longer than a record's words may be, cut between two words."""
    if isinstance(clean, dict):
        return {key: _short(old, new) for old, (key, new) in zip(was.values(), clean.items(), strict=True)}
    if isinstance(clean, list):
        return [_short(old, new) for old, new in zip(was, clean, strict=True)]
    if clean == was or not isinstance(clean, str) or len(clean) <= MAX_WORDS:
        return clean
    return clean[:MAX_WORDS].rpartition(" ")[0] or "(scrubbed)"


def _files(episode: Path, folder: str) -> list[str]:
    """Names of the regular files of one attempt, relative to the episode. Raises UsageError on anything else."""
    names = []
    for path in sorted((episode / folder).rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise UsageError(f"{path} is neither a regular file nor a folder; it cannot be packed")
        if path.is_file():
            names.append(path.relative_to(episode).as_posix())
    if not names:
        raise UsageError(f"{episode / folder} has no artifact, but the episode states one; the run was changed")
    return names


def _own_clients(run: Path, episodes: Mapping[str, Episode]) -> list[str]:
    """`own-model-client` when an episode used more than the journal of its metered model holds."""
    for key, episode in episodes.items():
        _no_links(run, f"{key}/{JOURNAL}")
        metered = total([line.call for line in read_journal(run / key / JOURNAL)])
        if any(getattr(episode.usage, name) > getattr(metered, name) for name in ("api_calls", *TOKENS)):
            return ["own-model-client"]
    return []


def _bundle(
    manifest: RunManifest,
    entry: Entry,
    submitter: str,
    episodes: Mapping[str, Episode],
    parts: Sequence[PayloadPart],
    declares: Sequence[str],
) -> Bundle:
    tree = {
        **{name: _plain(getattr(manifest, name)) for name in RunManifest.model_fields if name in Bundle.model_fields},
        "declares": sorted({*manifest.declares, *declares}) or None,
        "schema_version": SCHEMA_VERSION,
        "suite_version": SUITE_VERSION,
        "origin": "run",
        "submitter": submitter,
        "entry": _plain(entry),
        "episodes": [
            _plain(episodes[key]) for key in sorted(episodes, key=lambda key: (episodes[key].task, episodes[key].seed))
        ],
        "payload": [_plain(part) for part in parts],
    }
    return Bundle.from_json(canonical_bytes(tree), subject=BUNDLE)


def _plain(value: object) -> object:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, Record) else value


@contextmanager
def _built_beside(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` when the block ends well, and is gone when it does not.

    What a killed pack left is removed by the next one: a living one holds a lock, which lies beside what it builds.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.packing-"
    for stale in out.parent.glob(f"{prefix}*"):
        if stale.is_dir() and not stale.is_symlink():
            _remove_dead(stale)
    place = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    try:
        with held(place / LOCK, fcntl.LOCK_EX, math.inf):
            beside = place / BUILT
            beside.mkdir()
            beside.chmod(0o755)
            yield beside
            for file in beside.iterdir():
                flush(file)
            flush(beside)
            try:
                beside.replace(out)
            except OSError as error:
                raise UsageError(
                    f"{out} cannot be made: {error.strerror}; did another pack make it meanwhile?"
                ) from None
            flush(out.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_dead(stale: Path) -> None:
    """Remove what nobody builds in any more; what another process removes at this moment may be gone half-way."""
    with held(stale / LOCK, fcntl.LOCK_EX) as mine:
        if mine:
            shutil.rmtree(stale, ignore_errors=True)
