"""The public decision ledger: a chain of lines, and the files of verdicts that its regrades name by digest.

Takes submissions/ledger.jsonl, gives verified lines, appends new ones. Every line names the digest of the line before
it, so no line can be changed, dropped or moved without breaking the chain. Verdicts lie beside it, one file a regrade
under ledger.d/, so that ten thousand entries leave a ledger of some megabytes. Never believes what a bundle claims.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from harness.errors import SchemaError, VerificationError
from harness.files import replace_file
from harness.revoked import fingerprint
from harness.schema.base import HttpsUrl, KebabId, PublicKey, Record, Sha256, Submitter, Timestamp
from harness.schema.digest import file_sha256
from harness.schema.episode import Count, Real
from harness.schema.verdicts import LEDGER as LEDGER
from harness.schema.verdicts import VERDICTS as VERDICTS
from harness.schema.verdicts import RegradeVerdict as RegradeVerdict
from harness.schema.verdicts import Verdicts as Verdicts
from scoring.made import lean

Level = Literal["reported", "signed", "regraded", "replayed", "reproduced"]
Kind = Literal[
    "inclusion", "regrade", "replay", "reproduction", "downgrade", "review", "removal", "mirror", "revocation"
]
LEVELS: tuple[Level, ...] = get_args(Level)
START = "0" * 64


class ReplayOutcome(Record):
    """What a replay found for one task. `excused`: task.toml leaves it to maintainers, or nothing was handed in. The
    figures are those of the first attempt that differs; `found` None: no artifact, or an invalid one.
    """

    task: KebabId
    outcome: Literal["agrees", "differs", "excused"]
    seed: Count | None = None
    expected: Real | None = None
    found: Real | None = None
    allowed: Real | None = None


class ReproducedBy(Record):
    """A second party's own entry, and the counter-signature in its folder."""

    party: KebabId
    entry: KebabId
    bundle_sha256: Sha256
    statement_sha256: Sha256


class Decision(Record):
    """One decision, with its reason and its evidence, before it is sealed."""

    sequence: Count
    previous: Sha256 = Field(description="`sha256` of the line before; 64 zeros in the first line")
    time: Timestamp
    kind: Kind
    entry: KebabId | None = Field(default=None, description="none in a revocation alone: that is about a key")
    bundle_sha256: Sha256 | None = None
    reason: str = Field(min_length=1, max_length=2000)
    key_fingerprint: str | None = Field(default=None, max_length=200, description="inclusion: the key that signed")
    public_key: PublicKey | None = Field(default=None, description="that key, for whom its account lists it no more")
    principal: Submitter | None = Field(default=None, description="inclusion of a run: whose key it was")
    signature_sha256: Sha256 | None = Field(default=None, description="inclusion: digest of the very signature file")
    compromised: Timestamp | None = Field(default=None, description="revocation: from when the key counts no more")
    level: Level | None = Field(default=None, description="downgrade: the level that the entry falls to")
    verdicts_sha256: Sha256 | None = Field(default=None, description="regrade: digest of its file under ledger.d/")
    replay_sha256: Sha256 | None = Field(default=None, description="replay: digest of its report under ledger.d/")
    replays: tuple[ReplayOutcome, ...] | None = Field(default=None, min_length=1, description="replay: task by task")
    reproduced_by: ReproducedBy | None = Field(default=None, description="reproduction: whose own run bears it out")
    evidence: HttpsUrl | None = Field(
        default=None,
        description="where everybody can see what the decision rests on; mirror: the folder of the board's own copies",
    )
    verdicts: tuple[()] | None = Field(default=None, description="empty, in the lines of before 2026-11-21 alone")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.verdicts_sha256 is not None) != (self.kind == "regrade"):
            raise ValueError("verdicts belong to a regrade, and a regrade has some")
        if not (self.replays is not None) == (self.replay_sha256 is not None) == (self.kind == "replay"):
            raise ValueError("outcomes belong to a replay, and a replay has some, with the digest of its report")
        if (self.level is not None) != (self.kind == "downgrade"):
            raise ValueError("a level belongs to a downgrade, and a downgrade has one")
        if (self.reproduced_by is not None) != (self.kind == "reproduction"):
            raise ValueError("a second party belongs to a reproduction, and a reproduction has one")
        about_a_key = self.kind == "revocation"
        if (self.entry is None, self.bundle_sha256 is None) != (about_a_key, about_a_key):
            raise ValueError("a revocation is about a key, every other decision about an entry's bytes")
        if about_a_key != (self.compromised is not None) or (about_a_key and not self.key_fingerprint):
            raise ValueError("a revocation names its key and from when that counts no more")
        if self.public_key and fingerprint(self.public_key) != self.key_fingerprint:
            raise ValueError("the public key has another fingerprint")
        if self.kind == "mirror" and self.evidence is None:
            raise ValueError("a mirror says where the copies are")
        return self


_SEALED = {"digest": "was checked over the line's own bytes"}


class LedgerLine(Decision):
    """A decision with its own digest: one line of the file."""

    sha256: Sha256 = Field(description="over this line without this field")

    @model_validator(mode="after")
    def _sealed(self, info: ValidationInfo) -> Self:
        if info.context is not _SEALED and self.sha256 != digest(
            self.model_dump(mode="json", exclude_none=True, exclude={"sha256"})
        ):
            raise ValueError("the line's sha256 does not fit its content")
        return self


def digest(tree: dict[str, Any]) -> str:
    """SHA-256 of one line's content in its compact form: sorted keys, no spaces, UTF-8."""
    return hashlib.sha256(_compact(tree)).hexdigest()


_READER = json.JSONDecoder()
_COMPACT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _compact(tree: dict[str, Any]) -> bytes:
    return _COMPACT.encode(tree).encode()


def read_ledger(file: Path) -> tuple[LedgerLine, ...]:
    """Every line of a verified chain; none when there is no file. Raises VerificationError naming the line."""
    if file.is_symlink():
        raise VerificationError("ledger", f"{file} is a link; the ledger is a file of its own")
    if not file.exists():
        return ()
    data = file.read_bytes()
    if data and not data.endswith(b"\n"):
        raise VerificationError(
            "ledger", f"{file} ends in the middle of a line; take that line out and append it again"
        )
    lines: list[LedgerLine] = []
    for number, text in enumerate(data.splitlines(), start=1):
        try:
            line = _sealed_line(text) or LedgerLine.from_json(text, subject=f"{file.name} line {number}")
        except SchemaError as error:
            raise VerificationError("ledger", f"line {number} does not hold: {error}") from None
        previous = lines[-1].sha256 if lines else START
        if line.sequence != len(lines) or line.previous != previous:
            raise VerificationError("ledger", f"line {number} does not follow the line before it: the chain is broken")
        lines.append(line)
    return tuple(lines)


def _sealed_line(text: bytes) -> LedgerLine | None:
    """A line that is its own compact form, which leaves no room for a doubled key or an odd number, and whose digest
    fits. None: only a strict reading can tell what it is."""
    try:
        tree, _ = _READER.raw_decode(text.decode())  # nothing can follow it: the next line compares the whole
        if _compact(tree) != text:
            return None
        seal = b'"sha256":"%s",' % tree["sha256"].encode()
        if hashlib.sha256(text.replace(seal, b"", 1)).hexdigest() != tree["sha256"]:
            return None
        once = {key: sys.intern(value) if isinstance(value, str) else value for key, value in tree.items()}
        return lean(LedgerLine.model_validate(once, context=_SEALED))  # most texts stand in several lines
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        return None


def append_line(file: Path, content: dict[str, Any]) -> LedgerLine:
    """Add one line. `content` has all fields but sequence, previous and sha256; the chain is verified first."""
    lines = read_ledger(file)
    previous = lines[-1].sha256 if lines else START
    decision = Decision.from_json(_compact({**content, "sequence": len(lines), "previous": previous}), "decision")
    tree = decision.model_dump(mode="json", exclude_none=True)
    line = LedgerLine.from_json(_compact({**tree, "sha256": digest(tree)}), "ledger line")
    with file.open("ab") as out:
        out.write(_compact(line.model_dump(mode="json", exclude_none=True)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return line


def ledger_bytes(lines: Sequence[LedgerLine]) -> bytes:
    """The file of these lines, each in its compact form."""
    return b"".join(_compact(line.model_dump(mode="json", exclude_none=True)) + b"\n" for line in lines)


def must_continue(ledger: Sequence[LedgerLine], earlier: Sequence[LedgerLine]) -> None:
    """Raises VerificationError unless `ledger` begins with all of `earlier`, both verified chains.

    One digest is enough: a line's names the line before it, down to the first.
    """
    if not earlier:
        return
    if len(ledger) < len(earlier):
        missing = len(earlier) - len(ledger)
        raise VerificationError("ledger", f"{missing} line(s) that there were are missing at its end")
    if ledger[len(earlier) - 1].sha256 != earlier[-1].sha256:
        same = sum(1 for one, other in zip(ledger, earlier, strict=False) if one.sha256 == other.sha256)
        raise VerificationError("ledger", f"line {same + 1} is not the line that there was: the history was rewritten")


def append_regrade(submissions: Path, about: dict[str, Any], verdicts: Sequence[RegradeVerdict]) -> LedgerLine:
    """Write the file of verdicts, then the line that names it.

    `about` has entry, bundle_sha256, time and reason. Raises SchemaError, VerificationError.
    """
    document = Verdicts(entry=about["entry"], bundle_sha256=about["bundle_sha256"], verdicts=tuple(verdicts))
    sha256 = _kept(submissions, document.canonical())
    return append_line(submissions / LEDGER, {**about, "kind": "regrade", "verdicts_sha256": sha256})


def append_replay(
    submissions: Path, about: dict[str, Any], report: bytes, outcomes: Sequence[ReplayOutcome]
) -> LedgerLine:
    """Write the file of the report, then the line that names it and says what it found. As append_regrade."""
    replays = [one.model_dump(mode="json", exclude_none=True) for one in outcomes]
    sha256 = _kept(submissions, report)
    return append_line(submissions / LEDGER, {**about, "kind": "replay", "replay_sha256": sha256, "replays": replays})


def _kept(submissions: Path, data: bytes) -> str:
    """Put a file under its digest; a crash before its line leaves a file nobody reads."""
    sha256 = hashlib.sha256(data).hexdigest()
    folder = submissions / VERDICTS
    folder.mkdir(exist_ok=True)
    replace_file(folder / f"{sha256}.json", data)
    return sha256


def check_files(submissions: Path, lines: Sequence[LedgerLine]) -> None:
    """Every file that a line names is there, to the byte. Raises VerificationError naming the first that is not."""
    for line in lines:
        for sha256 in filter(None, (line.verdicts_sha256, line.replay_sha256)):
            file = submissions / VERDICTS / f"{sha256}.json"
            if file.is_symlink() or not file.is_file() or file_sha256(file) != sha256:
                raise VerificationError(
                    "ledger", f"line {line.sequence + 1} names {file}, which is not there or not its own"
                )
