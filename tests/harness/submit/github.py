"""A GitHub on loopback, over TLS: the part of its REST API that a submission needs, as documented, on a real git store.

Strict: an undocumented path or field, a missing header or a token for the wrong place is noted in `violations`, which a
test expects to be empty. Faults are planted one request at a time. Lives at an Enterprise server's paths (/api/v3).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.harness.submit import documents
from tests.harness.submit.documents import Document
from tests.harness.submit.store import Missing, Store

API, UPLOADS = "/api/v3", "/api/uploads"
BOARD = "gymboard/gymboard"
VERSIONS = ("2022-11-28",)


@dataclass(eq=False)
class Answer(Exception):
    """An answer other than the documented success."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Account:
    """`scopes`: of its classic token; None for a fine-grained one, which tells none."""

    login: str
    number: int
    token: str
    scopes: str | None = "public_repo"
    keys: list[str] = field(default_factory=list)


@dataclass
class Fault:
    """What the next request that fits gets instead; `cut` closes the connection. `after`: lets as many pass first."""

    method: str
    path: str
    answer: Answer | None = None
    after: int = 0
    cut: bool = False


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    raw: bytes
    account: Account


Handler = Callable[..., tuple[int, Any]]
ROUTES: list[tuple[str, re.Pattern[str], Handler, frozenset[str], frozenset[str], bool]] = []


def route(method: str, path: str, *, required: str = "", optional: str = "", writes: bool | None = None) -> Any:
    """Register a documented request; {repo} and {number} and {name} stand for one segment, {rest} for more."""
    pattern = path.replace("{repo}", r"(?P<repo>[^/]+/[^/]+)")
    pattern = re.sub(r"\{rest\}", r"(?P<rest>.+)", re.sub(r"\{(number|name)\}", r"(?P<\1>[^/]+)", pattern))

    def register(handler: Handler) -> Handler:
        needs, may = frozenset(required.split()), frozenset(required.split() + optional.split())
        ROUTES.append((method, re.compile(pattern), handler, needs, may, method != "GET" if writes is None else writes))
        return handler

    return register


class GitHub:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store.git")
        self.web = ""
        self.accounts: dict[str, Account] = {}
        self.repos: dict[str, str | None] = {BOARD: None}
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[tuple[int, str]] = []
        self.releases: dict[str, list[dict[str, Any]]] = {}
        self.assets: dict[int, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.polls_until_ready = 1
        self.digests = True
        self.store.put(ref(BOARD), {"README.md": b"board\n", "submissions/ledger.jsonl": b"line\n"}, "begin")

    @property
    def api(self) -> str:
        return self.web + API

    def base(self, repo: str) -> str:
        return f"{self.api}/repos/{repo}"

    def who(self, login: str) -> Document:
        account = self.accounts.get(login)
        return documents.user(self.api, login, account.number if account else 1)

    def repository(self, repo: str, *, full: bool = True) -> Document:
        parent = self.repos[repo]
        found = documents.repository(
            self.api, self.web, repo, self.who(repo.partition("/")[0]), fork=parent is not None
        )
        if full and parent is not None:
            found |= {"parent": self.repository(parent, full=False), "source": self.repository(BOARD, full=False)}
        return found

    def pull(self, facts: Mapping[str, Any]) -> Document:
        def end(label: str, repo: str, branch: str) -> Document:
            with suppress(Missing):
                facts["shas"][label] = self.store.ref(ref(repo, branch))
            who, sha = self.who(repo.partition("/")[0]), facts["shas"][label]
            return {"label": label, "ref": branch, "sha": sha, "user": who, "repo": self.repository(repo, full=False)}

        head = end(facts["head"], facts["head_repo"], facts["head"].partition(":")[2])
        target = end(f"gymboard:{facts['base']}", BOARD, facts["base"])
        web = f"{self.web}/{BOARD}/pull/{facts['number']}"
        return documents.pull(self.base(BOARD), web, facts, head, target, self.who(head["user"]["login"]))

    def release(self, repo: str, facts: Mapping[str, Any]) -> Document:
        assets = [self.asset(repo, one) for one in self.assets.values() if one["release"] == facts["id"]]
        uploads = f"{self.web}{UPLOADS}/repos/{repo}"
        return documents.release(self.base(repo), uploads, facts, assets, self.who(repo.partition("/")[0]))

    def asset(self, repo: str, one: Mapping[str, Any]) -> Document:
        [tag] = [made["tag_name"] for made in self.releases[repo] if made["id"] == one["release"]]
        digest = "sha256:" + hashlib.sha256(one["data"]).hexdigest() if self.digests else None
        url = f"{self.web}/{repo}/releases/download/{tag}/{one['name']}"
        who = self.who(repo.partition("/")[0])
        return documents.asset(self.base(repo), url, one["id"], one["name"], len(one["data"]), digest, who)

    def merge(self, number: int) -> None:
        """A maintainer presses `Squash and merge`."""
        facts = self.pulls[number - 1]
        head = self.store.ref(ref(facts["head_repo"], facts["head"].partition(":")[2]))
        tree = self.store.git("merge-tree", "--write-tree", ref(BOARD), head)
        commit = self.store.commit(facts["title"], tree, [self.store.ref(ref(BOARD))])
        self.store.set_ref(ref(BOARD), commit)
        facts |= {"state": "closed", "merged_at": documents.DAY}

    def merged(self, number: int, folder: Path) -> Path:
        """A checkout of what the pull request would make of the board: GitHub's refs/pull/<n>/merge."""
        facts = self.pulls[number - 1]
        head = ref(facts["head_repo"], facts["head"].partition(":")[2])
        return self.store.checkout(self.store.git("merge-tree", "--write-tree", ref(BOARD), head), folder)

    def answer(self, call: Call) -> tuple[int, Any]:
        path = call.path.removeprefix(API).removeprefix(UPLOADS)
        for method, pattern, handler, needs, may, writes in ROUTES:
            found = pattern.fullmatch(path)
            if method != call.method or not found:
                continue
            self._fields(call, needs, may)
            if writes and call.account.scopes is None:
                raise Answer(403, {"message": "Resource not accessible by personal access token"})
            if writes and not {"repo", "public_repo"} & set((call.account.scopes or "").split(", ")):
                raise Answer(404, {"message": "Not Found"})
            words = {name: unquote(value) for name, value in found.groupdict().items()}
            if "repo" in words and words["repo"] not in self.repos:
                raise Answer(404, {"message": "Not Found"})
            try:
                return handler(self, call, **words)
            except Missing:
                raise Answer(404, {"message": "Not Found"}) from None
        self.violations.append(f"undocumented: {call.method} {call.path}")
        raise Answer(404, {"message": "Not Found"})

    def _fields(self, call: Call, needs: frozenset[str], may: frozenset[str]) -> None:
        given = set(call.body) if isinstance(call.body, dict) else set()
        if strange := given - may:
            self.violations.append(f"{call.method} {call.path}: undocumented fields {sorted(strange)}")
        if missing := needs - given:
            raise Answer(
                422, {"message": "Invalid request.", "errors": [{"message": f"{sorted(missing)} not supplied"}]}
            )

    def writable(self, repo: str, account: Account) -> None:
        if repo.partition("/")[0] != account.login:
            raise Answer(404, {"message": "Not Found"})


def ref(repo: str, branch: str = "main") -> str:
    return f"refs/{repo}/heads/{branch}"


def refused(*messages: str) -> Answer:
    return Answer(422, {"message": "Validation Failed", "errors": [{"message": text} for text in messages]})


@contextmanager
def serving(github: GitHub, folder: Path) -> Iterator[Path]:
    """Sets github.web while the context is open; gives the certificate that clients have to trust."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name = f"{self.command} {parts.path}"
            github.calls.append(name)
            try:
                self._planted(parts.path)
                if not parts.path.startswith((API, UPLOADS)):
                    return self._download(parts.path)
                body = json.loads(raw) if raw and not parts.path.startswith(UPLOADS) else None
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                account = self._account(name)
                status, document = github.answer(Call(self.command, parts.path, query, body, raw, account))
                scopes = {} if account.scopes is None else {"X-OAuth-Scopes": account.scopes}
                return self._send(status, document, scopes)
            except Answer as answer:
                return self._send(answer.status, answer.document, answer.headers)
            except ConnectionAbortedError:
                self.close_connection = True
                self.connection.close()

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = handle_one  # noqa: N815

        def _planted(self, path: str) -> None:
            for fault in github.faults:
                if fault.method == self.command and re.search(fault.path, path):
                    if fault.after:
                        fault.after -= 1
                        return
                    github.faults.remove(fault)
                    if fault.cut:
                        raise ConnectionAbortedError
                    if fault.answer:
                        raise fault.answer

        def _account(self, name: str) -> Account:
            for header, fits in (("Accept", "json"), ("User-Agent", ""), ("X-GitHub-Api-Version", VERSIONS[0])):
                if fits not in self.headers.get(header, "\0"):
                    github.violations.append(f"{name}: header {header} is {self.headers.get(header)!r}")
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            account = next((one for one in github.accounts.values() if one.token == token), None)
            if scheme.lower() not in ("token", "bearer") or account is None:
                raise Answer(401, {"message": "Bad credentials"})
            return account

        def _download(self, path: str) -> None:
            """Release assets as a browser gets them: no token is expected, or wanted."""
            if self.headers.get("Authorization"):
                github.violations.append(f"GET {path}: carries a token")
            found = re.fullmatch(r"/([^/]+/[^/]+)/releases/download/(.+)/([^/]+)", path)
            drafts = {made["id"] for made in github.releases.get(found[1], []) if made.get("draft")} if found else set()
            tags = {made["id"]: made["tag_name"] for made in github.releases.get(found[1], [])} if found else {}
            for one in github.assets.values():
                asked = found and (tags.get(one["release"]), one["name"]) == (found[2], found[3])
                if asked and one["release"] not in drafts:
                    return self._send(200, one["data"])
            raise Answer(404, {"message": "Not Found"})

        def _send(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            data = b"" if status == 204 else data
            self.send_response(status)
            for key, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: object) -> None:
            pass

    certificate = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    github.web = f"https://localhost:{server.server_port}"
    try:
        yield certificate
    finally:
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "standin.pem"
    file.write_bytes(private + signed.public_bytes(pem))
    return file


@route("GET", "/user")
def _me(github: GitHub, call: Call) -> tuple[int, Any]:
    return 200, documents.private_user(github.api, call.account.login, call.account.number)


@route("GET", "/users/{name}/keys")
def _keys(github: GitHub, call: Call, name: str) -> tuple[int, Any]:
    return 200, [{"id": number, "key": key} for number, key in enumerate(github.accounts[name].keys)]


@route("GET", "/repos/{repo}")
def _repository(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    return 200, github.repository(repo)


@route("POST", "/repos/{repo}/forks", optional="organization name default_branch_only")
def _forks(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    mine = [
        name for name, parent in github.repos.items() if parent == repo and name.startswith(f"{call.account.login}/")
    ]
    if not mine:
        name = f"{call.account.login}/{repo.partition('/')[2]}"
        mine = [name if name not in github.repos else f"{name}-1"]
        github.repos[mine[0]] = repo
        github.store.set_ref(ref(mine[0]), github.store.ref(ref(repo)))
        path = rf"/{mine[0]}/git/ref/heads/main$"
        github.faults += [Fault("GET", path, Answer(409, {"message": "Git Repository is empty."}))] * (
            github.polls_until_ready
        )
    return 202, github.repository(mine[0])


@route("GET", "/repos/{repo}/git/ref/{rest}")
def _ref(github: GitHub, call: Call, repo: str, rest: str) -> tuple[int, Any]:
    return 200, documents.reference(github.base(repo), rest, github.store.ref(f"refs/{repo}/{rest}"))


@route("POST", "/repos/{repo}/git/refs", required="ref sha")
def _create_ref(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    name = call.body["ref"].removeprefix("refs/")
    with suppress(Missing):
        github.store.ref(f"refs/{repo}/{name}")
        raise Answer(422, {"message": "Reference already exists"})
    github.store.set_ref(f"refs/{repo}/{name}", github.store.ref(call.body["sha"]))
    return 201, documents.reference(github.base(repo), name, call.body["sha"])


@route("PATCH", "/repos/{repo}/git/refs/{rest}", required="sha", optional="force")
def _update_ref(github: GitHub, call: Call, repo: str, rest: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    old, new = github.store.ref(f"refs/{repo}/{rest}"), github.store.ref(call.body["sha"])
    if not call.body.get("force") and github.store.git("merge-base", old, new) != old:
        raise Answer(422, {"message": "Update is not a fast forward"})
    github.store.set_ref(f"refs/{repo}/{rest}", new)
    return 200, documents.reference(github.base(repo), rest, new)


@route("POST", "/repos/{repo}/git/blobs", required="content", optional="encoding")
def _blob(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    encoding = call.body.get("encoding", "utf-8")
    content = call.body["content"]
    data = base64.b64decode(content, validate=True) if encoding == "base64" else content.encode()
    sha = github.store.blob(data)
    return 201, {"sha": sha, "url": f"{github.base(repo)}/git/blobs/{sha}"}


@route("GET", "/repos/{repo}/git/trees/{name}")
def _tree(github: GitHub, call: Call, repo: str, name: str) -> tuple[int, Any]:
    nodes = []
    for line in github.store.git("ls-tree", name).splitlines():
        (mode, kind, sha), path = line.split("\t")[0].split(), line.split("\t")[1]
        nodes.append({"path": path, "mode": mode, "type": kind, "sha": sha, "url": f"{github.base(repo)}/{sha}"})
    return 200, {"sha": name, "url": f"{github.base(repo)}/git/trees/{name}", "tree": nodes, "truncated": False}


@route("POST", "/repos/{repo}/git/trees", required="tree", optional="base_tree")
def _create_tree(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    modes = {"blob": ("100644", "100755", "120000"), "tree": ("040000",), "commit": ("160000",)}
    for node in call.body["tree"]:
        if (
            set(node) != {"path", "mode", "type", "sha"}
            or "/" in node["path"]
            or node["mode"] not in modes[node["type"]]
        ):
            github.violations.append(f"tree node {node}")
    sha = github.store.tree(call.body["tree"], call.body.get("base_tree"))
    return 201, _tree(github, call, repo, sha)[1]


@route("GET", "/repos/{repo}/git/commits/{name}")
def _commit(github: GitHub, call: Call, repo: str, name: str) -> tuple[int, Any]:
    tree, parents, message = github.store.git("show", "--no-patch", "--format=%T%n%P%n%B", name).split("\n", 2)
    return 200, documents.git_commit(github.base(repo), name, tree, parents.split(), message)


@route("POST", "/repos/{repo}/git/commits", required="message tree", optional="parents author committer signature")
def _create_commit(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    sha = github.store.commit(call.body["message"], call.body["tree"], call.body.get("parents", []))
    return 201, _commit(github, call, repo, sha)[1]


@route("GET", "/repos/{repo}/compare/{rest}")
def _compare(github: GitHub, call: Call, repo: str, rest: str) -> tuple[int, Any]:
    base, head = rest.split("...")
    login, _, branch = head.rpartition(":")
    other = next((name for name in github.repos if name.startswith(f"{login}/") and github.repos[name] == repo), repo)
    ours, theirs = github.store.ref(ref(repo, base)), github.store.ref(ref(other, branch))
    common = github.store.git("merge-base", ours, theirs)
    ahead = github.store.git("rev-list", f"{common}..{theirs}").split()
    files = []
    for line in github.store.git("diff", "--no-renames", "--name-status", common, theirs).splitlines():
        status, name = line.split("\t")
        files.append({"filename": name, "status": {"A": "added", "D": "removed"}.get(status, "modified")})
    shown = {
        sha: documents.commit(github.base(repo), _commit(github, call, repo, sha)[1]) for sha in [common, ours, *ahead]
    }
    url = f"{github.base(repo)}/compare/{rest}"
    return 200, {
        **dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), url),
        **{"base_commit": shown[ours], "merge_base_commit": shown[common], "commits": [shown[sha] for sha in ahead]},
        **{"status": "ahead", "ahead_by": len(ahead), "total_commits": len(ahead), "files": files},
        "behind_by": len(github.store.git("rev-list", f"{common}..{ours}").split()),
    }


@route("GET", "/repos/{repo}/pulls")
def _pulls(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    if strange := set(call.query) - {"state", "head", "base", "sort", "direction", "per_page", "page"}:
        github.violations.append(f"pulls: undocumented parameters {sorted(strange)}")
    state, head = call.query.get("state", "open"), call.query.get("head")
    chosen = [one for one in github.pulls if state in ("all", one["state"]) and head in (None, one["head"])]
    return 200, [github.pull(one) for one in reversed(chosen)]


@route(
    "POST",
    "/repos/{repo}/pulls",
    required="head base",
    optional="title body maintainer_can_modify draft issue head_repo",
)
def _create_pull(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    login, _, branch = call.body["head"].rpartition(":")
    fork = next((name for name in github.repos if name.startswith(f"{login}/") and github.repos[name] == repo), repo)
    if any(one["state"] == "open" and one["head"] == call.body["head"] for one in github.pulls):
        raise refused(f"A pull request already exists for {call.body['head']}.")
    if github.store.ref(ref(fork, branch)) == github.store.ref(ref(repo, call.body["base"])):
        raise refused(f"No commits between {call.body['base']} and {call.body['head']}")
    facts = {"number": len(github.pulls) + 1, "state": "open", "merged_at": None, "head_repo": fork, "shas": {}}
    github.pulls.append(facts | {name: call.body.get(name) for name in ("title", "head", "base", "body")})
    return 201, github.pull(github.pulls[-1])


@route("PATCH", "/repos/{repo}/pulls/{number}", optional="title body state base maintainer_can_modify")
def _update_pull(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    github.pulls[int(number) - 1] |= call.body
    return 200, github.pull(github.pulls[int(number) - 1])


@route("POST", "/repos/{repo}/issues/{number}/comments", required="body")
def _comment(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    github.comments.append((int(number), call.body["body"]))
    who = github.who(call.account.login)
    return 201, documents.comment(github.base(repo), len(github.comments), call.body["body"], who)


@route("GET", "/repos/{repo}/releases")
def _releases(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    return 200, [github.release(repo, facts) for facts in github.releases.get(repo, [])]


@route(
    "POST",
    "/repos/{repo}/releases",
    required="tag_name",
    optional="target_commitish name body draft prerelease make_latest",
)
def _create_release(github: GitHub, call: Call, repo: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    made = github.releases.setdefault(repo, [])
    if any(one["tag_name"] == call.body["tag_name"] and not one.get("draft") for one in made):
        raise refused("tag_name already exists")
    made.append({**call.body, "id": 100 + len(made)})
    return 201, github.release(repo, made[-1])


@route("PATCH", "/repos/{repo}/releases/{number}", optional="tag_name target_commitish name body draft prerelease")
def _update_release(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    [facts] = [one for one in github.releases[repo] if one["id"] == int(number)]
    facts |= call.body
    return 200, github.release(repo, facts)


@route("GET", "/repos/{repo}/releases/{number}/assets")
def _assets(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    return 200, [github.asset(repo, one) for one in github.assets.values() if one["release"] == int(number)]


@route("POST", "/repos/{repo}/releases/{number}/assets")
def _upload(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    if not call.path.startswith(UPLOADS):
        github.violations.append(f"an asset was sent to {call.path}")
    name = call.query["name"]
    if any((one["release"], one["name"]) == (int(number), name) for one in github.assets.values()):
        raise refused("already_exists")
    key = max(github.assets, default=1000) + 1
    github.assets[key] = {"id": key, "release": int(number), "name": name, "data": call.raw}
    return 201, github.asset(repo, github.assets[key])


@route("DELETE", "/repos/{repo}/releases/assets/{number}")
def _delete_asset(github: GitHub, call: Call, repo: str, number: str) -> tuple[int, Any]:
    github.writable(repo, call.account)
    del github.assets[int(number)]
    return 204, None
