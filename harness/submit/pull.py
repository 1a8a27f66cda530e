"""Pull: the one pull request of an entry. Takes a pushed branch, opens it or brings it up to date.

Never opens a second one beside an open one, and never a new one after a maintainer closed it, unless asked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from github3.pulls import ShortPullRequest
from github3.repos.repo import Repository

from harness.errors import SubmitError
from harness.schema.task import TaskSpec
from harness.submit.proposal import Proposal
from harness.submit.text import body, renewed


@dataclass(frozen=True)
class Outcome:
    """`what` happened: "opened", "updated" or "unchanged"."""

    number: int
    url: str
    what: str


def find_open(board: Repository, login: str, branch: str, *, again: bool) -> ShortPullRequest | None:
    """The open pull request of this branch. Raises SubmitError when the last one was closed, unless `again`."""
    pulls = list(board.pull_requests(state="all", head=f"{login}:{branch}", base=board.default_branch))
    for pull in pulls:
        if pull.state == "open":
            return pull
    last = max(pulls, key=lambda pull: pull.number, default=None)
    if last is not None and last.merged_at is None and not again:
        raise SubmitError(
            f"pull request {last.number} of this entry was closed without being merged: {last.html_url}; read why, "
            "then add --again to open a new one"
        )
    return None


def open_pull(board: Repository, login: str, proposal: Proposal, tasks: Mapping[str, TaskSpec]) -> Outcome:
    """A new pull request; the branch has been pushed."""
    head = f"{login}:{proposal.branch}"
    pull = board.create_pull(proposal.title, board.default_branch, head, body(proposal, tasks))
    return Outcome(pull.number, pull.html_url, "opened")


def update_pull(pull: ShortPullRequest, proposal: Proposal, tasks: Mapping[str, TaskSpec], *, pushed: bool) -> Outcome:
    """Facts as they are now, and a comment when the commit is another: a replaced branch tells nobody."""
    text = renewed(pull.body, proposal, tasks)
    if not pushed and text == (pull.body or "").replace("\r\n", "\n"):
        return Outcome(pull.number, pull.html_url, "unchanged")
    pull.create_comment(f"Submitted anew: `bundle.json` now has the sha256 `{proposal.bundle_sha256}`.")
    pull.update(body=text)
    return Outcome(pull.number, pull.html_url, "updated")
