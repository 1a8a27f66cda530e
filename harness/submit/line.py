"""Line: the whole way from a Proposal to its pull request, in the order in which nothing has to be undone.

Takes a Proposal, the board's name, a server and a token; gives an Outcome. First everything that can refuse without a
trace (the parts' addresses, the account, the key, the board, an earlier pull request), then what leaves traces, the
pull request last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from github3 import GitHub
from github3.repos.repo import Repository

from harness.errors import SubmitError, VerificationError
from harness.schema.task import TaskSpec
from harness.signing import BUNDLE, SIGNATURE, Signers, verify_signature
from harness.submit.connection import NEEDED, connected
from harness.submit.evidence import must_serve, upload
from harness.submit.fork import common_commit, fork_of, must_be_ours, must_fit, push
from harness.submit.outside import must_lead_outside
from harness.submit.proposal import Proposal
from harness.submit.pull import Outcome, find_open, open_pull, update_pull
from harness.submit.server import Server, Token

SUFFICIENT = ("repo", "public_repo")


@dataclass(frozen=True)
class Target:
    """Where it goes. `board` is owner/name; `again`: also after an earlier pull request was closed."""

    server: Server
    board: str
    again: bool = False


def submit(
    proposal: Proposal, target: Target, token: Token, tasks: Mapping[str, TaskSpec], tell: Callable[[str], None]
) -> Outcome:
    """Raises SubmitError, or VerificationError when the account's keys did not sign. `tell` hears of each step."""
    must_lead_outside(proposal.elsewhere, target.server)
    with connected(target.server, token) as github:
        login = _account(github, proposal, token)
        board = board_of(github, target.board)
        pull = find_open(board, login, proposal.branch, again=target.again)
        fork = fork_of(board, login)
        tell(f"fork: {fork.full_name}")
        parent = common_commit(board, fork)
        must_fit(board, fork, parent, proposal.path)
        branch = must_be_ours(board, fork, proposal.branch, proposal.path)
        for name in upload(fork, proposal):
            tell(f"uploaded: {name}")
        must_serve(proposal.elsewhere, target.server)
        commit, new = push(fork, branch, proposal, parent)
        tell(f"branch: {proposal.branch} at {commit[:12]}" + ("" if new else ", as before"))
        if pull is None:
            return open_pull(board, login, proposal, tasks)
        return update_pull(pull, proposal, tasks, pushed=new)


def _account(github: GitHub, proposal: Proposal, token: Token) -> str:
    """The login, when the bundle names this account and one of its published keys signed."""
    me = github.me()
    if f"github:{me.id}" != proposal.bundle.submitter:
        raise SubmitError(
            f"the bundle is {proposal.bundle.submitter}'s, but the token is github:{me.id}'s ({me.login}); "
            f"use the other account's token, or pack again with --submitter github:{me.id}"
        )
    must_have_scope(github, token)
    published = me.keys()
    _signed(proposal, [key.key for key in published], me.login)
    return str(me.login)


def _signed(proposal: Proposal, keys: Sequence[str], login: str) -> None:
    """By one of the keys that the account publishes, over the very bytes that are going to be pushed."""
    data, signature = proposal.files[BUNDLE], proposal.files[SIGNATURE]
    try:
        verify_signature(data, signature, Signers.of_keys(keys), proposal.bundle.submitter)
    except VerificationError as error:
        raise VerificationError(
            error.check,
            f"none of the {len(keys)} key(s) that {login} publishes signed this bundle; sign with one of them, or add "
            "yours to the account as an authentication key",
        ) from None


def must_have_scope(github: GitHub, token: Token) -> None:
    """A classic token says what it may do in every answer; others say nothing, and are tried."""
    answer = github.session.get(github.session.build_url("user"))
    scopes = answer.headers.get("X-OAuth-Scopes")
    if scopes is not None and not {scope.strip() for scope in scopes.split(",")} & set(SUFFICIENT):
        raise SubmitError(f"the token of {token.source} has the scopes ({scopes or 'none'}); {NEEDED}")


def board_of(github: GitHub, name: str) -> Repository:
    """The board; for a fork of it, what it was forked from."""
    owner, _, repository = name.partition("/")
    found = github.repository(owner, repository)
    if found.fork and found.source is not None:
        return board_of(github, found.source.full_name)
    return found
