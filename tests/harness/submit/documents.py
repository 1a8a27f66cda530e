"""What GitHub's REST API answers, as far as its documentation lists the fields (version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
DAY = "2026-11-21T12:00:00Z"
_USER_URLS = [
    "followers",
    "following",
    "gists",
    "starred",
    "subscriptions",
    "organizations",
    "repos",
    "events",
    "received_events",
]
_REPO_URLS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
]


def user(api: str, login: str, number: int) -> Document:
    base = f"{api}/users/{login}"
    return {
        **{f"{name}_url": f"{base}/{name}" for name in _USER_URLS},
        **{"login": login, "id": number, "node_id": "", "type": "User", "site_admin": False},
        **{"avatar_url": "", "gravatar_id": "", "url": base, "html_url": f"{api}/{login}"},
    }


def private_user(api: str, login: str, number: int) -> Document:
    nothing = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    return {**user(api, login, number), **nothing, **counts, "created_at": DAY, "updated_at": DAY}


def repository(api: str, web: str, full_name: str, owner: Document, *, fork: bool) -> Document:
    base = f"{api}/repos/{full_name}"
    return {
        **{f"{name}_url": f"{base}/{name}" for name in _REPO_URLS},
        **{"id": abs(hash(full_name)), "name": full_name.partition("/")[2], "full_name": full_name, "owner": owner},
        **{"fork": fork, "private": False, "description": None, "url": base, "html_url": f"{web}/{full_name}"},
        **{"archived": False, "default_branch": "main", "homepage": None, "language": None, "license": None},
        **dict.fromkeys(("clone_url", "git_url", "ssh_url", "svn_url", "mirror_url"), f"{web}/{full_name}.git"),
        **dict.fromkeys(("created_at", "pushed_at", "updated_at"), DAY),
        **dict.fromkeys(("has_downloads", "has_issues", "has_pages", "has_projects", "has_wiki"), True),
        **dict.fromkeys(
            ("forks_count", "network_count", "open_issues_count", "size", "stargazers_count", "subscribers_count"), 0
        ),
        "watchers_count": 0,
    }


def git_commit(base: str, sha: str, tree: str, parents: list[str], message: str) -> Document:
    who = {"name": "stand-in", "email": "standin@example.org", "date": DAY}
    return {
        **{"sha": sha, "url": f"{base}/git/commits/{sha}", "author": who, "committer": who, "message": message},
        "tree": {"sha": tree, "url": f"{base}/git/trees/{tree}"},
        "parents": [{"sha": parent, "url": f"{base}/git/commits/{parent}"} for parent in parents],
        "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
    }


def commit(base: str, document: Document) -> Document:
    url = f"{base}/commits/{document['sha']}"
    urls = {"url": url, "comments_url": f"{url}/comments", "html_url": url}
    return {**urls, "sha": document["sha"], "commit": document, "author": None, "committer": None, "parents": []}


def reference(base: str, name: str, sha: str) -> Document:
    target = {"type": "commit", "sha": sha, "url": f"{base}/git/commits/{sha}"}
    return {"ref": f"refs/{name}", "url": f"{base}/git/refs/{name}", "object": target}


def pull(base: str, web: str, facts: Mapping[str, Any], head: Document, target: Document, who: Document) -> Document:
    number = facts["number"]
    url, issue = f"{base}/pulls/{number}", f"{base}/issues/{number}"
    return {
        **{"url": url, "id": number, "number": number, "html_url": web, "diff_url": web, "patch_url": web},
        **{"issue_url": issue, "comments_url": f"{issue}/comments", "commits_url": f"{url}/commits"},
        **{"review_comments_url": f"{url}/comments", "review_comment_url": f"{base}/pulls/comments{{/number}}"},
        **{"statuses_url": f"{base}/statuses/x", "state": facts["state"], "title": facts["title"], "user": who},
        **{"body": facts["body"], "body_html": "", "body_text": "", "created_at": DAY, "updated_at": DAY},
        **{"merged_at": facts["merged_at"], "closed_at": None if facts["state"] == "open" else DAY},
        **{"active_lock_reason": None, "assignee": None, "assignees": [], "locked": False, "merge_commit_sha": None},
        **{"requested_reviewers": [], "requested_teams": [], "head": head, "base": target, "_links": {}},
    }


def comment(base: str, number: int, body: str, who: Document) -> Document:
    url = f"{base}/issues/comments/{number}"
    text = {"body": body, "body_html": "", "body_text": "", "author_association": "NONE", "user": who}
    return {**text, "id": number, "url": url, "html_url": url, "issue_url": url, "created_at": DAY, "updated_at": DAY}


def release(base: str, uploads: str, facts: Mapping[str, Any], assets: list[Document], who: Document) -> Document:
    number = facts["id"]
    url = f"{base}/releases/{number}"
    return {
        **{"url": url, "id": number, "assets_url": f"{url}/assets", "html_url": url, "author": who, "assets": assets},
        **{"upload_url": f"{uploads}/releases/{number}/assets{{?name,label}}", "created_at": DAY},
        **{name: facts.get(name) for name in ("tag_name", "name", "body", "target_commitish")},
        **{
            "draft": facts.get("draft", False),
            "prerelease": False,
            "published_at": None if facts.get("draft") else DAY,
        },
        **{"tarball_url": url, "zipball_url": url},
    }


def asset(base: str, download: str, number: int, name: str, size: int, digest: str | None, who: Document) -> Document:
    url = f"{base}/releases/assets/{number}"
    return {
        **{"url": url, "id": number, "name": name, "label": "", "browser_download_url": download, "uploader": who},
        **{"content_type": "application/zstd", "size": size, "digest": digest, "download_count": 0},
        **{"state": "uploaded", "created_at": DAY, "updated_at": DAY},
    }
