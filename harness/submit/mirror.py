"""Mirror: the board's own copy of payload parts that lie at a submitter's address, in a release of the board.

Takes a signed entry, a server and a maintainer's token; gives the address under which every part lies by its name.
Digests are looked at before a part is sent and once more at the address where everybody will ask for it. What is there
and right is not sent again, so that a call after a failure goes on where it stopped. Runs nothing of the entry, writes
no ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.fetch import fetch
from harness.mirrors import part_address
from harness.schema.bundle import PayloadPart
from harness.signing import Signers
from harness.submit.connection import connected
from harness.submit.evidence import fill, must_serve
from harness.submit.line import Target, board_of, must_have_scope
from harness.submit.server import Token
from harness.verify import Verified, verify

NEEDED = (
    "the board's maintainers may: a classic token with the scope public_repo (repo, for a private board), or a "
    "fine-grained one that may write the contents of the board"
)


@dataclass(frozen=True)
class Mirrored:
    """`at`: the folder of the copies, None when every part lies in the pull request. `sent`: what was not there yet."""

    entry: str
    bundle_sha256: str
    at: str | None
    parts: tuple[str, ...]
    sent: tuple[str, ...] = ()


def parts_here(entry: Path, signers: Signers, ledger: Path) -> Verified:
    """Fetch what is missing beside bundle.json, then verify all of it. Raises VerificationError, SchemaError."""
    fetch(entry, signers, ledger=ledger)
    return verify(entry, signers)


def mirror(entry: Path, verified: Verified, target: Target, token: Token, tell: Callable[[str], None]) -> Mirrored:
    """Copy the parts of a verified entry that have an address. Raises SubmitError; `tell` hears of each step."""
    bundle = verified.bundle
    parts = [part for part in bundle.payload if part.location]
    names = tuple(part.name for part in parts)
    if not parts:
        return Mirrored(bundle.entry.id, verified.bundle_sha256, None, names)
    tag = f"evidence-{bundle.entry.id}-{verified.bundle_sha256[:16]}"
    with connected(target.server, token, NEEDED) as github:
        must_have_scope(github, token)
        board = board_of(github, target.board)
        sent = fill(board, tag, bundle.entry.id, parts, entry)
        at = f"{board.html_url}/releases/download/{tag}"
    for name in names:
        tell(f"{name}: {'sent' if name in sent else 'was there'}")
    must_serve(_moved(parts, at), target.server)
    tell(f"every digest was read back from {at}")
    return Mirrored(bundle.entry.id, verified.bundle_sha256, at, names, tuple(sent))


def _moved(parts: Sequence[PayloadPart], at: str) -> list[PayloadPart]:
    return [part.model_copy(update={"location": part_address(at, part.name)}) for part in parts]
