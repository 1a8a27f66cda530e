"""By hand: the four shell lines with which anybody checks a signed bundle with stock tools, in an empty folder.

Takes a bundle, the key that signed it and where its folder lies, gives a line that fetches, one that writes who may
sign, one for `ssh-keygen -Y verify`, one for `sha256sum -c` over the digests that the signed bytes state. Never runs
them, and never lets a stranger's text out of its quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from shlex import quote
from urllib.parse import quote as percent

from harness.schema.bundle import Bundle, PayloadPart
from harness.signing import BUNDLE, NAMESPACE, SIGNATURE

_PART = re.compile(r"[a-z0-9-]+\.tar\.zst")
_SUFFIX = ".tar.zst"
_DIGESTS = r"""sed -n '/^   "name": "/{N;s/^   "name": "\(.*\)",\n   "sha256": "\(.*\)",$/\2  \1/p;}' """ + BUNDLE
"""Name and digest stand in neighbouring lines of the canonical form, three spaces deep in the payload alone."""
_SAFE = "%/:?#@!$&'()*+,;=~"


def by_hand(
    bundle: Bundle, bundle_sha256: str, public_key: str, source: str, copies: str = ""
) -> tuple[str, str, str, str]:
    """The lines, for `sh`. `public_key`: `<type> <base64>`; `source`: the folder's address, or its path; `copies`: the
    address of the board's own copies of the parts that lie elsewhere.

    Each line ends with 0 only when what it says holds. A part whose name no bundle of ours has is not fetched, so that
    the last line fails.
    """
    who = bundle.submitter
    allowed = f'{who} namespaces="{NAMESPACE}" {public_key}'
    return (
        (_fetched if source.startswith(("https://", "http://")) else _copied)(bundle, source, copies),
        f"echo {quote(allowed)} >allowed_signers",
        f"ssh-keygen -Y verify -f allowed_signers -I {quote(who)} -n {NAMESPACE} -s {SIGNATURE} <{BUNDLE}",
        f"{{ echo '{bundle_sha256}  {BUNDLE}'; {_DIGESTS}; }} | sha256sum -c",
    )


def _fetched(bundle: Bundle, address: str, copies: str) -> str:
    beside = [part.name for part in _parts(bundle) if part.location is None]
    folder = _braced(address.rstrip("/"), [BUNDLE, SIGNATURE, *beside])
    return f"curl --fail-early -fsSL -o '#1' {folder}{_elsewhere(bundle, copies)}"


def _copied(bundle: Bundle, folder: str, copies: str) -> str:
    elsewhere = _elsewhere(bundle, copies)
    fetched = f" && curl --fail-early -fsSL{elsewhere}" if elsewhere else ""
    return f"cp -R {quote(folder.rstrip('/') + '/.')} .{fetched}"


def _elsewhere(bundle: Bundle, copies: str) -> str:
    """Arguments of curl for the parts with an address of their own, those of one folder together; brackets in an
    address are escaped, for curl takes them as a pattern."""
    folders: dict[str, list[str]] = {}
    alone = ""
    for part in _parts(bundle):
        if not part.location:
            continue
        address = percent(f"{copies.rstrip('/')}/{part.name}" if copies else part.location, safe=_SAFE)
        folder, _, last = address.rpartition("/")
        if last == part.name:
            folders.setdefault(folder, []).append(part.name.removesuffix(_SUFFIX))
        else:
            alone += f" -o {part.name} {quote(address)}"
    listed = (f" -o '#1{_SUFFIX}' {_braced(folder, names, _SUFFIX)}" for folder, names in folders.items())
    return "".join(listed) + alone


def _braced(folder: str, names: Sequence[str], suffix: str = "") -> str:
    """Several files of one folder as curl takes them."""
    return quote(f"{folder}/{{{','.join(names)}}}{suffix}")


def _parts(bundle: Bundle) -> list[PayloadPart]:
    return [part for part in bundle.payload if _PART.fullmatch(part.name)]
