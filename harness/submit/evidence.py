"""Evidence: payload parts that do not lie in the pull request. Takes them, sees to it that their addresses serve them.

An address in a release of the submitter's own fork is filled from the entry's folder; every other one must serve the
bytes already. Never sends the token to such an address, and never replaces a part that is there and right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import requests
from github3.repos.release import Asset, Release
from github3.repos.repo import Repository

from harness.errors import SubmitError
from harness.schema.bundle import PayloadPart
from harness.submit.connection import AGAIN, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from harness.submit.outside import Outside
from harness.submit.proposal import Proposal
from harness.submit.server import Server

MEDIA = "application/zstd"
_CHUNK = 1 << 20


def upload(fork: Repository, proposal: Proposal) -> list[str]:
    """Fill the releases of `fork` that the bundle names; gives the names of the parts that were sent."""
    sent: list[str] = []
    for tag, parts in _tags(fork, proposal.elsewhere).items():
        sent += fill(fork, tag, proposal.entry, parts, proposal.folder)
    return sent


def fill(repository: Repository, tag: str, entry: str, parts: Sequence[PayloadPart], folder: Path) -> list[str]:
    """See to it that the release of a tag holds these parts of `folder`; gives the names of those that were sent.

    A new release is a draft until it is whole: what is published may be immutable.
    """
    release, sent = _release(repository, tag, entry), []
    for part in parts:
        if not _holds(release, part):
            with (folder / part.name).open("rb") as file:
                release.upload_asset(MEDIA, part.name, file)
            sent.append(part.name)
    if release.draft:
        release.edit(draft=False)
    return sent


def must_serve(parts: Sequence[PayloadPart], server: Server) -> None:
    """Download every part, as the robots will. Raises SubmitError on the first that is not what was signed."""
    for part in parts:
        with Outside(server) as session:
            try:
                _same(session, part)
            except requests.RequestException as error:
                raise SubmitError(
                    f"{part.location} cannot be fetched: {error}; upload {part.name}, then {AGAIN}"
                ) from None


def _same(session: requests.Session, part: PayloadPart) -> None:
    digest, size = hashlib.sha256(), 0
    times = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    with session.get(part.location or "", stream=True, timeout=times) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > part.size_bytes:
                break
    if size != part.size_bytes or digest.hexdigest() != part.sha256:
        raise SubmitError(
            f"{part.location} does not serve the bytes of {part.name} that were signed; upload them again"
        )


def _tags(fork: Repository, parts: Sequence[PayloadPart]) -> dict[str, list[PayloadPart]]:
    """Tag -> the parts that its release holds, of those addressed in this fork."""
    found: dict[str, list[PayloadPart]] = {}
    for part in parts:
        start, _, rest = (part.location or "").partition("/releases/download/")
        tag, _, name = rest.rpartition("/")
        if start.lower() == fork.html_url.lower() and tag and name == part.name:
            found.setdefault(tag, []).append(part)
    return found


def _release(repository: Repository, tag: str, entry: str) -> Release:
    """The release of a tag, drafts included, else a new draft."""
    for release in repository.releases():
        if release.tag_name == tag:
            return release
    text = f"Evidence of the Gymboard entry {entry}. Every part is named by its sha256 in the entry's bundle.json."
    return repository.create_release(tag, repository.default_branch, f"Evidence of {entry}", text, draft=True)


def _holds(release: Release, part: PayloadPart) -> bool:
    """Whether the part is there; what is there under its name and is another, or half, is removed."""
    for asset in release.assets():
        if asset.name == part.name:
            if _right(asset, part):
                return True
            asset.delete()
    return False


def _right(asset: Asset, part: PayloadPart) -> bool:
    """GitHub states the digest of an asset since 2025; an older server states its size only."""
    digest = asset.as_dict().get("digest") or f"sha256:{part.sha256}"
    whole = asset.state == "uploaded" and asset.size == part.size_bytes
    return bool(whole and digest == f"sha256:{part.sha256}")
