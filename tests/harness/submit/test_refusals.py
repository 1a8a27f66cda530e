"""What can go wrong between a signed entry and its pull request: one clear sentence each, and the same call goes on."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import CheckError, GymboardError, SubmitError, UsageError, VerificationError
from harness.signing import make_demo_key, sign
from harness.submit.server import Server, Token, find_board, find_token
from tests.harness.submit.conftest import TOKEN, Submitter
from tests.harness.submit.github import BOARD, Answer, Fault, ref

FORK, BRANCH = "ada/gymboard", "submit-tiny-entry"
STEPS = [  # every request that leaves a trace, in order
    ("POST", "/forks$"),
    ("POST", "/git/blobs$"),
    ("POST", "/git/trees$"),
    ("POST", "/git/commits$"),
    ("POST", "/git/refs$"),
    ("POST", "/pulls$"),
]


def refusal(submitter: Submitter, **how: bool) -> str:
    """What the submitter is told; the token is in no part of it."""
    with pytest.raises(GymboardError) as caught:
        submitter.submit(**how)
    text = str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert TOKEN not in text + repr(caught.value) + "".join(submitter.told)
    assert "\n" not in text
    return text


def finished(submitter: Submitter) -> None:
    """One fork, one branch of one commit, one pull request; nothing undocumented was asked for."""
    assert submitter.submit().number == 1
    github = submitter.github
    assert len(github.store.git("rev-list", f"{ref(BOARD)}..{ref(FORK, BRANCH)}").split()) == 1
    assert sorted(github.repos) == [FORK, BOARD]
    assert len(github.pulls) == 1
    assert github.faults == []
    assert github.violations == []


@pytest.mark.parametrize(("method", "path"), STEPS, ids=lambda word: word.strip("/$"))
def test_after_a_network_cut_the_same_call_finishes(submitter: Submitter, method: str, path: str) -> None:
    submitter.github.faults.append(Fault(method, path, cut=True))
    text = refusal(submitter)
    assert "the connection to localhost" in text
    assert "run the same command again" in text
    finished(submitter)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_cut_between_two_blobs_is_no_other(submitter: Submitter, after: int) -> None:
    submitter.github.faults.append(Fault("POST", "/git/blobs$", after=after, cut=True))
    refusal(submitter)
    finished(submitter)


def test_a_cut_behind_the_answer_is_found_done(submitter: Submitter) -> None:
    """The pull request was opened, and the answer got lost."""
    submitter.submit()
    submitter.github.faults.append(Fault("GET", "/pulls$", cut=True))
    refusal(submitter)
    assert submitter.submit().what == "unchanged"
    finished(submitter)


LIMITS = [
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795000000"}, "after 2026-11-18 11:06:40 UTC"),
    (429, {"Retry-After": "37"}, "after 37 s"),
    (403, {"Retry-After": "60"}, "after 60 s"),
    (429, {}, "after a minute"),
]


@pytest.mark.parametrize(("status", "headers", "said"), LIMITS)
@pytest.mark.parametrize("path", ["/user$", "/git/commits$"])
def test_a_rate_limit_says_until_when(
    submitter: Submitter, status: int, headers: dict[str, str], said: str, path: str
) -> None:
    answer = Answer(status, {"message": "API rate limit exceeded"}, headers)
    submitter.github.faults.append(Fault("GET" if "user" in path else "POST", path, answer))
    text = refusal(submitter)
    assert "allows no more requests for now" in text
    assert said in text
    finished(submitter)


def test_a_server_in_trouble_is_not_our_trouble(submitter: Submitter) -> None:
    submitter.github.faults.append(Fault("POST", "/git/trees$", Answer(502, {"message": "Server Error"})))
    assert "has trouble of its own" in refusal(submitter)
    finished(submitter)


def test_an_answer_that_is_no_json_is_said_so(submitter: Submitter) -> None:
    submitter.github.faults.append(Fault("GET", "/user$", Answer(200, b"<html>a captive portal</html>")))
    refusal(submitter)
    finished(submitter)


def test_an_unknown_token_is_told_apart_from_a_weak_one(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_expired")
    assert "does not know the token of GITHUB_TOKEN" in refusal(submitter)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    finished(submitter)


@pytest.mark.parametrize("scopes", ["", "gist, read:user"])
def test_a_token_without_scope_is_refused_before_anything_is_made(submitter: Submitter, scopes: str) -> None:
    submitter.account.scopes = scopes
    assert "public_repo" in refusal(submitter)
    assert not [call for call in submitter.github.calls if call.startswith("POST")]
    submitter.account.scopes = "read:user, repo"
    finished(submitter)


def test_a_fine_grained_token_is_told_what_would_do(submitter: Submitter) -> None:
    submitter.account.scopes = None
    text = refusal(submitter)
    assert "a fine-grained token cannot open a pull request at somebody else's repository" in text
    submitter.account.scopes = "public_repo"
    finished(submitter)


def test_the_token_of_another_account_is_refused(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_of-bob")
    assert "the bundle is github:1234's, but the token is github:99's (bob)" in refusal(submitter)
    assert list(submitter.github.repos) == [BOARD]


def test_a_key_that_the_account_does_not_publish_is_refused(submitter: Submitter, tmp_path: Path) -> None:
    sign(submitter.entry, make_demo_key(tmp_path / "other"))
    with pytest.raises(VerificationError, match=r"none of the 2 key\(s\) that ada publishes"):
        submitter.submit()
    assert list(submitter.github.repos) == [BOARD]


def test_an_account_without_keys_is_told_so(submitter: Submitter) -> None:
    submitter.account.keys.clear()
    with pytest.raises(VerificationError, match=r"none of the 0 key\(s\)"):
        submitter.submit()


def test_a_fork_that_exists_is_used_whatever_its_name(submitter: Submitter) -> None:
    github = submitter.github
    github.repos["ada/renamed"] = BOARD
    github.store.set_ref(ref("ada/renamed"), github.store.ref(ref(BOARD)))
    submitter.submit()
    assert sorted(github.repos) == ["ada/renamed", BOARD]
    assert github.store.ref(ref("ada/renamed", BRANCH))


def test_another_repository_of_the_boards_name_stays_alone(submitter: Submitter) -> None:
    github = submitter.github
    github.repos[FORK] = None
    untouched = github.store.put(ref(FORK), {"thesis.tex": b"..."}, "mine")
    submitter.submit()
    assert github.store.ref(ref(FORK)) == untouched
    assert github.repos["ada/gymboard-1"] == BOARD


def test_a_fork_that_is_never_ready_is_no_endless_wait(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    submitter.github.polls_until_ready = 10**6
    monkeypatch.setattr("harness.submit.fork.READY_WITHIN_S", 0.2)
    assert "is not ready" in refusal(submitter)
    submitter.github.faults.clear()
    finished(submitter)


def test_a_branch_that_holds_other_work_stays_as_it_is(submitter: Submitter) -> None:
    github = submitter.github
    github.repos[FORK] = BOARD
    for branch in ("main", BRANCH):
        github.store.set_ref(ref(FORK, branch), github.store.ref(ref(BOARD)))
    theirs = github.store.put(ref(FORK, BRANCH), {"README.md": b"changed\n", "submissions/other/bundle.json": b"{}"})
    text = refusal(submitter)
    assert "holds more than this entry: README.md, submissions/other/bundle.json" in text
    assert github.store.ref(ref(FORK, BRANCH)) == theirs
    github.store.git("update-ref", "-d", ref(FORK, BRANCH))
    finished(submitter)


def test_a_branch_that_exists_and_is_ours_is_taken_over(submitter: Submitter) -> None:
    github = submitter.github
    github.repos[FORK] = BOARD
    for branch in ("main", BRANCH):
        github.store.set_ref(ref(FORK, branch), github.store.ref(ref(BOARD)))
    github.store.put(ref(FORK, BRANCH), {"submissions/tiny-entry/bundle.json": b"an earlier try"})
    finished(submitter)


def test_a_closed_pull_request_is_not_opened_again_behind_a_maintainers_back(submitter: Submitter) -> None:
    submitter.submit()
    submitter.github.pulls[0]["state"] = "closed"
    submitter.github.calls.clear()
    text = refusal(submitter)
    assert "pull request 1 of this entry was closed without being merged" in text
    assert "--again" in text
    assert not [call for call in submitter.github.calls if not call.startswith("GET")]
    assert submitter.submit(again=True).number == 2


def test_an_entry_on_the_board_is_not_changed_on_top_of_an_old_fork(submitter: Submitter) -> None:
    github = submitter.github
    submitter.submit()
    github.merge(1)
    submitter.change()
    assert "press `Sync fork`" in refusal(submitter)
    github.store.set_ref(ref(FORK), github.store.ref(ref(BOARD)))
    assert submitter.submit().number == 2


def test_a_board_that_is_not_there(submitter: Submitter) -> None:
    with pytest.raises(SubmitError, match=r"GET /api/v3/repos/gymboard/nothing: 404 Not Found"):
        submitter.submit(board="gymboard/nothing")


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A host that the token is not for: notes every Authorization that reaches it."""
    heard: list[str] = []

    class Requests(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(str(self.headers.get("Authorization")))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(("method", "path"), [("GET", "/user$"), ("POST", "/git/blobs$")])
def test_a_redirect_does_not_take_the_token_elsewhere(
    submitter: Submitter, status: int, method: str, path: str
) -> None:
    with listening() as (elsewhere, heard):
        submitter.github.faults.append(Fault(method, path, Answer(status, {}, {"Location": f"{elsewhere}/x"})))
        assert "refused to send the token to http://127.0.0.1" in refusal(submitter)
        assert heard == []
    finished(submitter)


def test_an_upload_address_elsewhere_gets_neither_token_nor_file(
    submitter: Submitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter.pack(location=f"{submitter.github.web}/ada/gymboard/releases/download/tiny-entry")
    with listening() as (elsewhere, heard):
        monkeypatch.setattr("tests.harness.submit.github.UPLOADS", "@" + elsewhere.removeprefix("http://"))
        assert "refused to send the token" in refusal(submitter)
        assert heard == []


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(submitter: Submitter) -> None:
    answer = Answer(403, {"message": f"token {TOKEN} may not"})
    submitter.github.faults.append(Fault("POST", "/forks$", answer))
    assert "(token)" in refusal(submitter)


def test_what_a_server_says_cannot_steer_the_terminal(submitter: Submitter) -> None:
    submitter.github.faults.append(Fault("POST", "/forks$", Answer(403, {"message": "\x1b]0;owned\x07\nerror: x"})))
    assert refusal(submitter).isprintable()


def test_a_part_that_its_address_does_not_serve_is_found_before_the_pull_request(submitter: Submitter) -> None:
    web = submitter.github.web
    submitter.pack(location=f"{web}/bob/files/releases/download/x")
    assert "cannot be fetched: 404" in refusal(submitter)
    assert submitter.github.pulls == []


def test_a_part_whose_address_serves_other_bytes_is_refused(submitter: Submitter) -> None:
    github = submitter.github
    submitter.pack(location=f"{github.web}/bob/files/releases/download/x")
    github.repos["bob/files"] = None
    github.releases["bob/files"] = [{"id": 7, "tag_name": "x", "draft": False}]
    for number, file in enumerate(sorted(submitter.entry.glob("*.tar.zst"))):
        github.assets[number] = {"id": number, "release": 7, "name": file.name, "data": file.read_bytes()}
    github.assets[1]["data"] = b"y" * len(github.assets[1]["data"])
    assert "does not serve the bytes" in refusal(submitter)
    github.assets[1]["data"] = sorted(submitter.entry.glob("*.tar.zst"))[1].read_bytes()
    finished_elsewhere = submitter.submit()
    assert finished_elsewhere.what == "opened"


PRIVATE = ["127.0.0.1:1", "10.0.0.7", "169.254.169.254", "inside.example.org", "localhost:1"]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_part_at_a_private_address_is_refused_before_anything_is_opened(
    submitter: Submitter, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Her own machine reaches it; the robots would not."""
    real = socket.getaddrinfo

    def looked_up(name: str, *rest: object, **how: object) -> object:
        found = "192.168.1.20" if name == "inside.example.org" else name
        return real(found, *rest, **how)  # type: ignore[arg-type]

    submitter.pack(location=f"https://{host}/parts")
    monkeypatch.setattr("socket.getaddrinfo", looked_up)
    text = refusal(submitter)
    assert f"https://{host}/parts/tiny-play.tar.zst leads to" in text and "not a public address" in text
    assert "pack again with --location" in text
    assert submitter.github.calls == []


def test_a_part_that_is_redirected_to_a_private_address_is_refused(submitter: Submitter) -> None:
    submitter.pack(location=f"{submitter.github.web}/bob/files/releases/download/x")
    with listening() as (elsewhere, heard):
        answer = Answer(302, {}, {"Location": elsewhere.replace("http://", "https://") + "/x"})
        submitter.github.faults.append(Fault("GET", "/bob/files/", answer))
        assert "leads to 127.0.0.1: not a public address" in refusal(submitter)
        assert heard == []
    assert submitter.github.pulls == []


def test_what_breaks_a_rule_never_reaches_the_network(submitter: Submitter) -> None:
    tree = json.loads((submitter.entry / "bundle.json").read_bytes())
    tree["hardware"] = None
    (submitter.entry / "bundle.json").write_text(json.dumps(tree))
    with pytest.raises(CheckError):
        submitter.submit()
    assert submitter.github.calls == []


def test_an_unsigned_entry_is_told_how_to_sign(submitter: Submitter) -> None:
    (submitter.entry / "bundle.json.sig").unlink()
    with pytest.raises(UsageError, match="gymboard sign"):
        submitter.submit()


def test_parts_over_a_mebibyte_are_told_where_they_can_lie(
    submitter: Submitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.check.evidence.MAX_IN_PULL_REQUEST_BYTES", 100)
    with pytest.raises(CheckError, match=r"GB307[\s\S]*pack with --location https://example.org/release, sign, submit"):
        submitter.proposal()


def test_no_token_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no token: GITHUB_TOKEN is empty and gh is not installed"):
        find_token(Server.at("https://github.com"))
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$4" = github.com ] && echo gho_from-gh\n')
    gh.chmod(0o755)
    assert find_token(Server.at("https://github.com")) == Token("gh auth token", "gho_from-gh")
    with pytest.raises(UsageError, match=r"gh knows none for git.example.org.*--hostname git.example.org"):
        find_token(Server.at("https://git.example.org"))


@pytest.mark.parametrize("value", ["two words", "ghp_x\r\nHost: elsewhere", "ghp_\u00fc"])
def test_what_is_no_token_is_neither_sent_nor_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", value)
    with pytest.raises(UsageError) as caught:
        find_token(Server.at("https://github.com"))
    assert value not in str(caught.value)
    assert value not in repr(Token("GITHUB_TOKEN", value))


@pytest.mark.parametrize(
    ("url", "api", "hosts"),
    [
        ("https://github.com", "https://api.github.com", {"api.github.com", "uploads.github.com"}),
        ("https://acme.ghe.com/", "https://api.acme.ghe.com", {"api.acme.ghe.com", "uploads.acme.ghe.com"}),
        ("https://git.example.org:8443", "https://git.example.org:8443/api/v3", {"git.example.org:8443"}),
    ],
)
def test_each_kind_of_server_has_its_own_addresses(url: str, api: str, hosts: set[str]) -> None:
    server = Server.at(url)
    assert (server.api, server.hosts) == (api, hosts)


@pytest.mark.parametrize(
    "url", ["http://github.com", "github.com", "https://a@b", "https://github.com/x", "", "https://"]
)
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a GitHub server"):
        Server.at(url)


@pytest.mark.parametrize(
    ("remote", "board"),
    [
        ("https://github.com/gymboard/gymboard.git", "gymboard/gymboard"),
        ("https://github.com/gymboard/gymboard", "gymboard/gymboard"),
        ("git@github.com:ada/my.fork.git", "ada/my.fork"),
        ("ssh://git@github.com/ada/fork/", "ada/fork"),
        ("https://elsewhere.org/gymboard/gymboard", None),
        ("../main", None),
    ],
)
def test_the_board_is_where_the_clone_is_from(
    remote: str, board: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
    monkeypatch.chdir(tmp_path)
    server = Server.at("https://github.com")
    if board is None:
        with pytest.raises(UsageError, match="--board OWNER/NAME"):
            find_board(server, None)
    else:
        assert find_board(server, None) == board
    assert find_board(server, "x/y") == "x/y"
    with pytest.raises(UsageError, match="OWNER/NAME"):
        find_board(server, "x/y/../z")
