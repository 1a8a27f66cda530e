"""Files of Hugging Face repositories. Takes a HubFile, gives its address, token, size and digest, or a cached copy.

Everything about the hub is huggingface_hub's: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE, proxies. The bytes come
through our own transfer, since the library (2.4) throws an interrupted file away. Never tells the hub about the user
more than the request needs, never imports the library before it is needed.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from harness.data.download import Unfetched
from harness.schema.task import HubFile

MISSING = "huggingface_hub is not installed (pip install 'gymboard[data]')"


@dataclass(frozen=True)
class Located:
    """Where the hub serves a file, what to send along, and what it says about the bytes (LFS: their SHA-256)."""

    url: str
    headers: Mapping[str, str]
    size_bytes: int | None
    sha256: str | None


def _library() -> ModuleType | None:
    """The library, told before it loads to keep what it finds out about this machine to itself; None without it."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        return None


def cached(file: HubFile) -> Path | None:
    """The copy in the user's own Hugging Face cache, if there is one of exactly this revision."""
    if (library := _library()) is None:
        return None
    found = library.try_to_load_from_cache(file.repo, file.path, revision=file.revision, repo_type=file.kind)
    return Path(found) if isinstance(found, str) else None


def locate(file: HubFile) -> Located:
    """Ask the hub for the file. Raises Unfetched with the library's reason."""
    if (library := _library()) is None:
        raise Unfetched(MISSING)
    try:
        url = library.hf_hub_url(file.repo, file.path, repo_type=file.kind, revision=file.revision)
        about = library.get_hf_file_metadata(url)
        headers = library.utils.build_hf_headers()
    except Exception as error:  # the library's errors have no common base, and its HTTP client changes with versions
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unfetched(f"the hub does not give it: {reason}") from None
    if about.commit_hash not in (None, file.revision):
        raise Unfetched(f"the hub answers with revision {about.commit_hash}, {file.revision} is pinned")
    token = {name: value for name, value in headers.items() if name.lower() == "authorization"}
    lfs = about.etag and re.fullmatch(r"[0-9a-f]{64}", about.etag)
    return Located(url, token, about.size, about.etag if lfs else None)
