"""An unpublished run of this machine, as the site previews it: its bundle, and the text of its steps.

Takes a bundle folder, a bundle.json or a run folder of `gymboard run`, gives a place where a bundle lies and the
steps.jsonl of each episode. Of a run folder the bundle is put together here, from the episodes that ended; nothing is
scrubbed, signed or written beside the run. Never follows a link.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.archive import open_regular, read_archive
from harness.errors import GymboardError, UsageError, VerificationError
from harness.schema.base import Record, canonical_bytes
from harness.schema.bundle import SCHEMA_VERSION, SUITE_VERSION, Bundle, PayloadPart
from harness.schema.digest import file_sha256
from harness.schema.episode import Episode
from harness.schema.run import RunManifest
from harness.signing import BUNDLE
from scoring.load import load_bundle

MANIFEST = "run.json"
STEPS = "steps.jsonl"
MAX_TEXT_BYTES = 32 << 20
"""Of one episode's steps; longer ones are left out, and their page says so."""


@dataclass(frozen=True)
class Local:
    """`bundle`: a bundle folder or bundle.json to preview. `run`: the run folder that it was made of, if any."""

    bundle: Path
    run: Path | None = None

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """(Episode.key, steps.jsonl) of every episode whose text is here."""
        if self.run is not None:
            for file in sorted(self.run.glob(f"*/seed-*/{STEPS}")):
                yield f"{file.parts[-3]}/{file.parts[-2]}", _read(file)
        elif self.bundle.is_dir():
            yield from part_texts(self.bundle, load_bundle(self.bundle).bundle)


@contextmanager
def opened(place: Path) -> Iterator[Local]:
    """`place` as something that can be previewed. Raises GymboardError when it is neither a bundle nor a run."""
    if not (place / MANIFEST).is_file():
        yield Local(place)
        return
    with tempfile.TemporaryDirectory(prefix="gymboard-local-") as work:
        file = Path(work) / BUNDLE
        file.write_bytes(_bundle(place).canonical())
        yield Local(file, place)


def part_texts(folder: Path, bundle: Bundle) -> Iterator[tuple[str, bytes]]:
    """(Episode.key, steps.jsonl) from the parts that lie beside bundle.json and are the ones that it names.

    Other bytes, or a part that no writer of ours made, are passed over: `gymboard verify` is what speaks of them.
    """
    known = {episode.key for episode in bundle.episodes}
    for part in bundle.payload:
        file = folder / part.name
        if _is(file, part):
            try:
                yield from _members(file, known)
            except (VerificationError, UsageError):
                continue


def _is(file: Path, part: PayloadPart) -> bool:
    plain = file.is_file() and not file.is_symlink() and file.stat().st_size == part.size_bytes
    return plain and file_sha256(file) == part.sha256


def _members(file: Path, known: set[str]) -> Iterator[tuple[str, bytes]]:
    with open_regular(file) as opened_part:
        for member in read_archive(opened_part, file.name):
            key, _, name = member.name.rpartition("/")
            if name == STEPS and key in known and member.size <= MAX_TEXT_BYTES:
                yield key, member.read()


def _read(file: Path) -> bytes:
    with open_regular(file) as one:
        return one.read(MAX_TEXT_BYTES + 1) if file.stat().st_size <= MAX_TEXT_BYTES else b""


def _bundle(run: Path) -> Bundle:
    """What `gymboard pack` would make of the episodes that ended, without parts and without a submitter."""
    manifest = RunManifest.from_json(_read(run / MANIFEST), subject=MANIFEST)
    episodes = [
        Episode.from_json(_read(file), subject=f"{file.parts[-3]}/{file.parts[-2]}/{file.name}")
        for file in sorted(run.glob("*/seed-*/episode.json"))
    ]
    if not episodes:
        raise UsageError(f"{run} holds no episode that has ended; there is nothing to show yet")
    named: Mapping[str, object] = {
        name: _plain(getattr(manifest, name)) for name in RunManifest.model_fields if name in Bundle.model_fields
    }
    who = {name: getattr(manifest, name) for name in ("agent", "agent_version", "model")}
    tree = {
        **named,
        "declares": sorted(manifest.declares) or None,
        "schema_version": SCHEMA_VERSION,
        "suite_version": SUITE_VERSION,
        "origin": "run",
        "submitter": "local",
        "entry": {"id": manifest.run, "date": manifest.created[:10]} | {k: v for k, v in who.items() if v is not None},
        "episodes": [_plain(one) for one in sorted(episodes, key=lambda one: (one.task, one.seed))],
    }
    try:
        return Bundle.from_json(canonical_bytes(tree), subject=str(run))
    except GymboardError as error:
        raise UsageError(f"{run} cannot be shown as an entry: {error}") from None


def _plain(value: object) -> object:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, Record) else value


def durations(text: bytes, most: int) -> tuple[list[float | None], list[int | None]]:
    """Seconds and exit code of the first `most` steps of a steps.jsonl; None where a line does not say.

    A line that cannot be read ends the list: what follows is nobody's record.
    """
    seconds: list[float | None] = []
    codes: list[int | None] = []
    for line in text.split(b"\n")[:-1][:most]:
        try:
            step = json.loads(line)
            took, code = step.get("duration_s"), step.get("exit_code")
        except (ValueError, AttributeError):
            break
        seconds.append(round(float(took), 1) if isinstance(took, int | float) else None)
        codes.append(code if isinstance(code, int) else None)
    return seconds, codes
