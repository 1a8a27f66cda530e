"""Server and Token: which GitHub, and the right to act on it. Takes a URL, gives the API's address and whom to trust.

A token comes from GITHUB_TOKEN or from `gh auth token`. Never shown: not by its repr, not in an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness.errors import UsageError

GH_TIMEOUT_S = 30
BOARD = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
_REMOTE = re.compile(
    r"(?:https://|ssh://)?(?:[^@/]+@)?(?P<host>[^/:]+(?::\d+(?=/))?)[:/](?P<board>[^/]+/[^/]+?)(?:\.git)?/?"
)


@dataclass(frozen=True)
class Server:
    """`web` is where people look, `api` where requests go; the token is for `hosts` and nobody else."""

    web: str
    api: str
    hosts: frozenset[str]

    @classmethod
    def at(cls, url: str) -> Server:
        """github.com, an organization's ghe.com, or an Enterprise server. Raises UsageError on anything but https."""
        parts = urlsplit(url)
        host = parts.netloc.lower()
        if parts.scheme != "https" or not parts.hostname or "@" in host or parts.path.strip("/") or parts.query:
            raise UsageError(f"{url!r} is no address of a GitHub server; it looks like https://github.example.org")
        if host == "github.com" or host.endswith(".ghe.com"):
            return cls(f"https://{host}", f"https://api.{host}", frozenset({f"api.{host}", f"uploads.{host}"}))
        return cls(f"https://{host}", f"https://{host}/api/v3", frozenset({host}))

    @property
    def name(self) -> str:
        return urlsplit(self.web).netloc


@dataclass(frozen=True)
class Token:
    """`source` says where it came from, for messages; `value` is in no message."""

    source: str
    value: str = field(repr=False)


def find_token(server: Server) -> Token:
    """GITHUB_TOKEN, else what `gh auth token` knows for this server. Raises UsageError when there is none."""
    if value := os.environ.get("GITHUB_TOKEN", "").strip():
        return _sound(Token("GITHUB_TOKEN", value))
    ask = "set GITHUB_TOKEN to a classic token with the scope public_repo, or log in with `gh auth login"
    hint = ask + ("`" if server.name == "github.com" else f" --hostname {server.name}`")
    if shutil.which("gh") is None:
        raise UsageError(f"no token: GITHUB_TOKEN is empty and gh is not installed; {hint}")
    words = ["gh", "auth", "token", "--hostname", server.name]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=GH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UsageError(f"no token: `gh auth token` gave no answer within {GH_TIMEOUT_S} s; {hint}") from None
    if done.returncode != 0 or not done.stdout.strip():
        raise UsageError(f"no token: GITHUB_TOKEN is empty and gh knows none for {server.name}; {hint}")
    return _sound(Token("gh auth token", done.stdout.strip()))


def find_board(server: Server, named: str | None) -> str:
    """owner/name of the board: as named, else that of the clone we are in. Raises UsageError when there is none."""
    if named is not None:
        if not BOARD.fullmatch(named):
            raise UsageError(f"{named!r} names no repository; give the board as OWNER/NAME")
        return named
    done = subprocess.run(["git", "remote", "get-url", "origin"], capture_output=True, text=True, check=False)
    found = _REMOTE.fullmatch(done.stdout.strip())
    if done.returncode != 0 or not found or found["host"] != server.name or not BOARD.fullmatch(found["board"]):
        raise UsageError(
            f"this folder is no clone of a repository at {server.name}; name the board: --board OWNER/NAME"
        )
    return found["board"]


def _sound(token: Token) -> Token:
    """A token is one word; anything else could break out of its header."""
    if not token.value.isascii() or not token.value.isprintable() or " " in token.value:
        raise UsageError(f"what {token.source} holds is not a token: it has spaces or characters that none has")
    return token
