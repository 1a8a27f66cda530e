"""Fork: the submitter's copy of the board, and the one commit in it. Takes a Proposal, gives a branch that holds it.

The commit's parent is what fork and board have in common, so the pull request shows one commit and one folder however
old the fork is. A branch of ours is replaced; one that holds anything but this entry is left alone.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from github3.exceptions import Conflict, NotFoundError
from github3.git import Reference, Tree
from github3.repos.repo import Repository

from harness.errors import SubmitError
from harness.submit.connection import AGAIN
from harness.submit.proposal import Proposal

READY_WITHIN_S = 300
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 15.0
MOST_FILES = 300
"""As many as one answer of the comparison names."""


def fork_of(board: Repository, login: str) -> Repository:
    """The account's fork, made if there is none; the board itself for its own owner. Waits until it can be written.

    GitHub answers a request for a fork that exists with that fork, whatever its name.
    """
    if board.owner.login.lower() == login.lower():
        return board
    fork = board.create_fork()
    wait, deadline = FIRST_WAIT_S, time.monotonic() + READY_WITHIN_S
    while not _ready(fork):
        if time.monotonic() > deadline:
            raise SubmitError(f"{fork.full_name} is not ready after {READY_WITHIN_S} s; in some minutes {AGAIN}")
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_S)
    fork = fork.refresh()
    network = {one.full_name for one in (fork.parent, fork.source) if one is not None}
    if not network & {board.full_name, board.source.full_name if board.source else board.full_name}:
        raise SubmitError(f"{fork.full_name} is not a fork of {board.full_name}; rename it, then {AGAIN}")
    return fork


def common_commit(board: Repository, fork: Repository) -> str:
    """The newest commit of the board's branch that the fork's branch has too."""
    if fork.full_name == board.full_name:
        return str(board.ref(f"heads/{board.default_branch}").object.sha)
    head = f"{fork.owner.login}:{fork.default_branch}"
    return str(board.compare_commits(board.default_branch, head).as_dict()["merge_base_commit"]["sha"])


def must_fit(board: Repository, fork: Repository, parent: str, path: str) -> None:
    """An entry that is on the board is changed on top of what is there. Raises SubmitError on an old fork."""
    newest = board.ref(f"heads/{board.default_branch}").object.sha
    if newest == parent or _subtree(board, newest, path) == _subtree(board, parent, path):
        return
    raise SubmitError(
        f"{fork.full_name} is older than the board's {path}; press `Sync fork` on {fork.html_url} "
        f"(or `gh repo sync {fork.full_name}`), then {AGAIN}"
    )


def must_be_ours(board: Repository, fork: Repository, branch: str, path: str) -> Reference | None:
    """The branch, when it is there. Raises SubmitError when it changes anything outside the entry's folder."""
    try:
        found = fork.ref(f"heads/{branch}")
    except NotFoundError:
        return None
    changed = board.compare_commits(board.default_branch, f"{fork.owner.login}:{branch}").files or []
    names = sorted({name for one in changed for name in (one["filename"], one.get("previous_filename")) if name})
    strangers = [name for name in names if not name.startswith(f"{path}/")]
    if strangers or len(changed) >= MOST_FILES:
        raise SubmitError(
            f"the branch {branch} of {fork.full_name} holds more than this entry: {', '.join(strangers[:5])}; "
            f"rename or delete it, then {AGAIN}"
        )
    return found


def push(fork: Repository, branch: Reference | None, proposal: Proposal, parent: str) -> tuple[str, bool]:
    """The branch's commit, and whether it is new: blobs, trees, commit, and last of all the branch."""
    blobs = [_node(name, "100644", "blob", _blob(fork, data)) for name, data in sorted(proposal.files.items())]
    folder = fork.create_tree(blobs)
    tree = _with_folder(fork, parent, proposal.path, folder.sha)
    if branch is not None:
        there = fork.git_commit(branch.object.sha)
        if there.tree.sha == tree.sha and [one["sha"] for one in there.parents] == [parent]:
            return str(there.sha), False
    commit = fork.create_commit(proposal.title, tree.sha, [parent])
    if branch is None:
        fork.create_ref(f"refs/heads/{proposal.branch}", commit.sha)
    else:
        branch.update(commit.sha, force=True)
    return str(commit.sha), True


def _ready(fork: Repository) -> bool:
    """GitHub fills a new fork in the background."""
    try:
        fork.ref(f"heads/{fork.default_branch}")
    except (NotFoundError, Conflict):
        return False
    return True


def _with_folder(fork: Repository, parent: str, path: str, folder: str) -> Tree:
    """The tree of `parent` with `folder` (a tree) in the place of whatever is at `path`, level by level."""
    above, _, name = path.rpartition("/")
    base = _subtree(fork, parent, above)
    tree = fork.create_tree([_node(name, "040000", "tree", folder)], base_tree=base)
    return _with_folder(fork, parent, above, tree.sha) if above else tree


def _blob(fork: Repository, data: bytes) -> str:
    return str(fork.create_blob(base64.b64encode(data).decode(), "base64"))


def _node(path: str, mode: str, kind: str, sha: str) -> Mapping[str, Any]:
    return {"path": path, "mode": mode, "type": kind, "sha": sha}


def _subtree(repository: Repository, commit: str, path: str) -> str | None:
    """The digest of a folder in a commit, of its root for ""; None when it is not there."""
    at = repository.git_commit(commit).tree.sha
    for name in filter(None, path.split("/")):
        nodes = [one.sha for one in repository.tree(at).tree if (one.path, one.type) == (name, "tree")]
        if not nodes:
            return None
        at = nodes[0]
    return str(at)
