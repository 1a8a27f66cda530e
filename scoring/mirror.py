"""Mirror: the board's own copies of an entry's payload parts, and the ledger's line that says where they are.

Takes the submissions and the folder in which the entry lies (a pull request's, before its merge), has `gymboard mirror`
copy the parts, appends the line. Copies nothing itself, holds no token, and says nothing about an entry's worth: a
mirror of what is never merged is a line about bytes on no board.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from harness.clock import now
from harness.errors import GymboardError, UsageError
from harness.revoked import REVOKED
from harness.signing import BUNDLE
from scoring.facts.check import check_bundle
from scoring.facts.evidence import MAX_BUNDLE_BYTES, read_plain
from scoring.ledger import LEDGER, LedgerLine, append_line, read_ledger


def mirror(
    submissions: Path, entries: Path, entry: str, signers: Path, board: str | None, reason: str
) -> LedgerLine | None:
    """The new line; None when nothing lies elsewhere, or the newest mirror of these bytes is the same.

    Raises UsageError when there is no such entry, GymboardError when the copies could not be made (its last word is
    the command's), VerificationError on a broken chain.
    """
    folder = entries / entry
    if not (folder / BUNDLE).is_file():
        raise UsageError(f"no {folder / BUNDLE}; name an entry's folder, and with --from where it lies")
    data = read_plain(str(folder / BUNDLE), MAX_BUNDLE_BYTES)
    bundle = check_bundle(data, entry)
    sha256 = hashlib.sha256(data).hexdigest()
    lines = read_ledger(submissions / LEDGER)
    at = _copied(folder, sha256, signers, submissions, board)
    known = [line.evidence for line in lines if (line.kind, line.bundle_sha256) == ("mirror", sha256)]
    if at is None or known[-1:] == [at]:
        return None
    about = {"entry": bundle.entry.id, "bundle_sha256": sha256, "time": now(), "reason": reason}
    return append_line(submissions / LEDGER, {**about, "kind": "mirror", "evidence": at})


def _copied(folder: Path, sha256: str, signers: Path, submissions: Path, board: str | None) -> str | None:
    """Where the copies are, by the command that anyone can call; its steps go to standard error as they happen. The
    lists of ledger and revoked keys are the board's own, not those of the folder that the entry lies in.
    """
    words = ["mirror", str(folder), "--signers", str(signers), "--ledger", str(submissions / LEDGER), "--json"]
    words += ["--revoked", str(submissions / REVOKED)] if (submissions / REVOKED).exists() else []
    words += [] if board is None else ["--board", board]
    done = subprocess.run([sys.executable, "-m", "gymboard", *words], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise GymboardError(f"{folder.name} was not copied whole, and nothing was written down")
    found = json.loads(done.stdout)
    if found["bundle_sha256"] != sha256:
        raise GymboardError(f"{folder / BUNDLE} changed while it was copied")
    at: str | None = found["at"]
    return at
