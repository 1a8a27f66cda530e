"""Connection: github3.py, bound to one server, and its failures as one sentence each.

Takes a Server and a Token, gives a GitHub whose every request, redirects and uploads included, goes to that server's
hosts. Never lets the token out: not to another host, not over http, not into a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from github3 import GitHub
from github3.exceptions import (
    AuthenticationFailed,
    ForbiddenError,
    GitHubError,
    GitHubException,
    NotFoundError,
    ServerError,
    UnprocessableEntity,
)
from github3.session import GitHubSession

from harness.errors import SubmitError
from harness.submit.server import Server, Token

API_VERSION = "2022-11-28"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10, 120
AGAIN = "run the same command again, it goes on from there"
NEEDED = (
    "a classic token needs the scope public_repo (repo, for a private board); a fine-grained token cannot open a pull "
    "request at somebody else's repository"
)
_CARRIER = re.compile(r"^HTTPSConnection(Pool)?\([^)]*\): ")


class Elsewhere(requests.RequestException):
    """A request that would have carried the token to another host."""


class OneHost(GitHubSession):  # type: ignore[misc]
    """A session that refuses to speak to any host but the server's, whoever asks: a redirect, or an upload address."""

    def __init__(self, server: Server) -> None:
        super().__init__(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        self.base_url = server.api
        self.hosts = server.hosts

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """Raises Elsewhere before anything is sent."""
        parts = urlsplit(request.url or "")
        if parts.scheme != "https" or parts.netloc.lower() not in self.hosts:
            raise Elsewhere(f"refused to send the token to {parts.scheme}://{parts.netloc}")
        answer: requests.Response = super().send(request, **how)
        return answer


@contextmanager
def connected(server: Server, token: Token, needed: str = NEEDED) -> Iterator[GitHub]:
    """A GitHub to act on; what it raises inside becomes a SubmitError that says what to do. `needed`: who may."""
    github = GitHub(session=OneHost(server), api_version=API_VERSION)
    github.session.token_auth(token.value)
    try:
        yield github
    except (GitHubException, requests.RequestException) as error:
        text = _explained(error, server, token, needed).replace(token.value, "(token)")
        raise SubmitError("".join(char if char.isprintable() else "?" for char in text)) from None
    finally:
        github.session.close()


def _explained(error: Exception, server: Server, token: Token, needed: str) -> str:
    if isinstance(error, GitHubError) and error.response is not None:
        return _answered(error, server, token, needed)
    if isinstance(error, Elsewhere) or isinstance(getattr(error, "exception", None), Elsewhere):
        return f"{error}: {server.name} pointed there, and the token is for {', '.join(sorted(server.hosts))} only"
    if isinstance(error, GitHubError):
        return f"{server.name} left something out of its answer: {error.message}"
    return f"the connection to {server.name} broke: {_cause(error)}; {AGAIN}"


def _cause(error: Exception) -> str:
    """What the network said, without the names of the classes that carried it up here."""
    inner = getattr(error, "exception", None) or error
    carried = inner.args[0] if inner.args else inner
    return _CARRIER.sub("", str(getattr(carried, "reason", None) or carried)) or type(inner).__name__


def _answered(error: GitHubError, server: Server, token: Token, needed: str) -> str:
    """What an answer of 4xx or 5xx means here."""
    asked = f"{error.response.request.method} {urlsplit(error.response.url).path}: {error}"
    if until := _limited(error.response):
        return f"{server.name} allows no more requests for now ({asked}); after {until} {AGAIN}"
    if isinstance(error, AuthenticationFailed):
        return f"{server.name} does not know the token of {token.source} ({asked}); it may have expired: make a new one"
    if isinstance(error, (ForbiddenError, NotFoundError)):
        return f"the token of {token.source} may not do this, or it is not there ({asked}); {needed}"
    if isinstance(error, UnprocessableEntity):
        return f"{server.name} refuses ({asked}; {_details(error)})"
    if isinstance(error, ServerError):
        return f"{server.name} has trouble of its own ({asked}); later {AGAIN}"
    return f"{server.name} gave an answer that nobody expected ({asked})"


def _limited(response: requests.Response) -> str | None:
    """When requests are allowed again; None when they are. The primary limit tells a moment, the secondary a wait."""
    if response.status_code not in (403, 429):
        return None
    wait, reset = response.headers.get("Retry-After", ""), response.headers.get("X-RateLimit-Reset", "")
    if wait.isdigit():
        return f"{wait} s"
    if response.headers.get("X-RateLimit-Remaining") == "0" and reset.isdigit():
        return datetime.fromtimestamp(int(reset), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return "a minute" if response.status_code == 429 else None


def _details(error: GitHubError) -> str:
    return "; ".join(str(one.get("message") or one) if isinstance(one, dict) else str(one) for one in error.errors)
