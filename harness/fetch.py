"""Fetch: payload parts that lie at an https address come beside bundle.json.

Takes a bundle folder and the signers that count, gives the parts that were fetched: from the board's own copy when the
ledger names one, else from the address that was signed. Only what a listed key signed is asked for, and only from
public addresses: every connection, redirects included, is made to an address that was looked at. Never writes more than
the signed size, never puts a file in place whose digest differs, never replaces one.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness.addresses import Address, is_public
from harness.data.download import Transfer, Unfetched, download, https_opener
from harness.data.partial import Content
from harness.errors import VerificationError
from harness.mirrors import mirrors, part_address
from harness.payload import part_name
from harness.schema.bundle import Bundle, PayloadPart
from harness.signing import BUNDLE, Signers
from harness.verify import verify_signed

MAX_FETCHED_BYTES = 8 << 30
Reach = Callable[[Address], bool]


def fetch(
    bundle_folder: Path,
    signers: Signers,
    opener: urllib.request.OpenerDirector | None = None,
    *,
    ledger: Path | None = None,
) -> list[PayloadPart]:
    """Fetch every part with an address that is not there yet; gives those.

    `opener`: another way out than public_opener(). `ledger`: the file that may name the board's own copies, which are
    asked first. Raises VerificationError "files", "signature", "payload names",
    "payload size" or "payload address"; SchemaError.
    """
    data, _ = verify_signed(bundle_folder, signers)
    bundle = Bundle.from_json(data, subject=BUNDLE)
    parts = [part for part in bundle.payload if part.location and not _there(bundle_folder / part.name)]
    names = {part_name(episode.task) for episode in bundle.episodes}
    if strangers := sorted(part.name for part in parts if part.name not in names):
        raise VerificationError("payload names", f"{strangers[0]!r} is not the part of any task in the bundle")
    if (total := sum(part.size_bytes for part in parts)) > MAX_FETCHED_BYTES:
        raise VerificationError("payload size", f"{total:,} bytes lie elsewhere; at most {MAX_FETCHED_BYTES:,} may")
    copies = mirrors(ledger, hashlib.sha256(data).hexdigest()) if ledger else ()
    with tempfile.TemporaryDirectory(
        prefix=f".{bundle_folder.resolve().name}.", dir=bundle_folder.resolve().parent
    ) as at:
        for part in parts:
            _fetched(part, copies, Path(at, part.name), opener or public_opener()).rename(bundle_folder / part.name)
    return parts


def public_opener(trust: ssl.SSLContext | None = None, reach: Reach | None = None) -> urllib.request.OpenerDirector:
    """An opener whose connections end at addresses that `reach` lets through: by default the public ones."""
    return https_opener(https=_Checked(trust or ssl.create_default_context(), reach or is_public))


class _Checked(urllib.request.HTTPSHandler):
    """https to checked addresses."""

    def __init__(self, trust: ssl.SSLContext, reach: Reach) -> None:
        super().__init__(context=trust)
        self._trust, self._reach = trust, reach

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, reach=self._reach), req, context=self._trust)


class _Connection(http.client.HTTPSConnection):
    """Looks a name up once, looks at every address, and connects to one of those: the name cannot change in between."""

    def __init__(self, host: str, *, reach: Reach, **how: Any) -> None:
        super().__init__(host, **how)
        self._create_connection = partial(_connected, reach)


def _connected(reach: Reach, place: tuple[str, int], *how: Any) -> socket.socket:
    """Raises Unfetched when any address of the name is out of reach, OSError when none answers."""
    found = [info[4] for info in socket.getaddrinfo(*place, type=socket.SOCK_STREAM)]
    for host, *_ in found:
        if not reach(ipaddress.ip_address(str(host).partition("%")[0])):
            raise Unfetched(f"leads to {place[0]}, which is {host}: not a public address")
    return socket.create_connection((str(found[0][0]), place[1]), *how)


def _fetched(part: PayloadPart, copies: Sequence[str], to: Path, opener: urllib.request.OpenerDirector) -> Path:
    """From the first place that serves the signed bytes. Raises VerificationError with what every place said."""

    def fault(content: Content) -> str | None:
        if (content.size_bytes, content.sha256) == (part.size_bytes, part.sha256):
            return None
        return f"serves {content.size_bytes:,} bytes of sha256 {content.sha256}; {BUNDLE} states {part.sha256}"

    said = []
    for address in (*(part_address(copy, part.name) for copy in copies), part.location or ""):
        try:
            download(Transfer(address, to, part.size_bytes, opener), fault)
        except Unfetched as error:
            said.append(f"{address} {error}")
            continue
        to.chmod(0o644)
        return to
    raise VerificationError("payload address", "; ".join(said))


def _there(file: Path) -> bool:
    """Whatever it is; verify judges it."""
    return file.is_symlink() or file.exists()
