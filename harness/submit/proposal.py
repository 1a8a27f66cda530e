"""Proposal: what a pull request would hold. Takes an entry's folder, gives the exact bytes, branch and text of it.

Reads the folder once, and holds what it read to the digests that were verified. Needs no network and no token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.archive import open_regular
from harness.check import check
from harness.check import summary as check_summary
from harness.countersign import STATEMENT, STATEMENT_SIGNATURE
from harness.errors import CheckError, Problem, UsageError, VerificationError
from harness.keyless import PROOF
from harness.schema.bundle import Bundle, PayloadPart
from harness.signing import BUNDLE, SIGNATURE
from harness.verify import verify_contents

MARK, END = "<!-- gymboard submit: written anew by each call -->", "<!-- /gymboard submit -->"


@dataclass(frozen=True)
class Proposal:
    """`files`: name -> bytes under submissions/<entry>/. `elsewhere`: the parts that lie at an address.

    `warnings`: what the rules say to it.
    """

    folder: Path
    bundle: Bundle
    bundle_sha256: str
    files: Mapping[str, bytes]
    elsewhere: tuple[PayloadPart, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def entry(self) -> str:
        return self.bundle.entry.id

    @property
    def branch(self) -> str:
        return f"submit-{self.entry}"

    @property
    def path(self) -> str:
        return f"submissions/{self.entry}"

    @property
    def title(self) -> str:
        entry = self.bundle.entry
        return f"Submit {entry.id}: {entry.agent}" + (f" with {entry.model}" if entry.model else "")


def propose(entry: Path, release: str, *, root: Path | None = None, board: Path | None = None) -> Proposal:
    """Raises CheckError with all problems when the rules refuse it, UsageError when it is not signed, or nobody's.

    `release`: where parts can lie that are too large for a pull request; named when there are such. `board`: the
    folder of published entries.
    """
    problems = check(entry, root=root, board=board)
    if check_summary(problems)[1] != 0:
        raise CheckError(str(entry), [*problems, *_advice(problems, release)])
    if not (entry / SIGNATURE).is_file():
        raise UsageError(f"no {SIGNATURE} in {entry}; sign it first: gymboard sign {entry} --key ~/.ssh/id_ed25519")
    contents = verify_contents(entry)
    if not contents.bundle.submitter.startswith("github:"):
        raise UsageError(f"{entry} is {contents.bundle.submitter}'s; pack it with --submitter github:<your numeric id>")
    beside = {part.name: part.sha256 for part in contents.bundle.payload if part.location is None}
    more = [name for name in (PROOF, STATEMENT, STATEMENT_SIGNATURE) if (entry / name).is_file()]
    files = {name: _read(entry / name) for name in (BUNDLE, SIGNATURE, *more, *beside)}
    for name, digest in {BUNDLE: contents.bundle_sha256, **beside}.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise VerificationError("files", f"{entry / name} changed while it was read")
    elsewhere = tuple(part for part in contents.bundle.payload if part.location is not None)
    return Proposal(entry, contents.bundle, contents.bundle_sha256, files, elsewhere, tuple(problems))


def _advice(problems: Sequence[Problem], release: str) -> list[Problem]:
    """The address is signed with the bundle, so it is chosen before: pack, sign, submit, in this order."""
    if not any(problem.message.startswith("GB307 ") for problem in problems):
        return []
    text = f"for a release of your fork: pack with --location {release}, sign, submit; the parts are uploaded then"
    return [Problem("payload", text, "warning")]


def _read(file: Path) -> bytes:
    with open_regular(file) as opened:
        return opened.read()
