"""Pinned files over real HTTPS that is cut, wrong, too long, redirected or not trusted."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.data import download
from harness.data.download import https_opener
from harness.data.sources import obtain
from harness.errors import DataError
from harness.schema.task import Source
from tests.harness.data.server import (
    Server,
    broken_after,
    connect_proxy,
    endless,
    in_turn,
    serve,
    stalls_after,
    status,
    whole,
)
from tests.harness.data.tasks import LINES, source

OTHER = b"?" * len(LINES)


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("authority")) as server:
        yield server


@pytest.fixture
def server(https: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    https.forget()
    monkeypatch.setattr(download, "PAUSE_S", 0.001)
    return https


def fetch(server: Server, store: Path, *paths: str, mirror: Path | None = None) -> Path:
    return obtain(source(tuple(server.url + path for path in paths)), store, mirror, server.opener)


def kept(store: Path) -> set[str]:
    return {path.suffix or "whole" for path in store.iterdir()} - {".lock", ".origin"}


def test_a_good_server(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    path = fetch(server, tmp_path, "/file")
    assert path.read_bytes() == LINES
    assert kept(tmp_path) == {"whole"}
    assert path.stat().st_mode & 0o222 == 0
    assert fetch(server, tmp_path, "/file") == path
    assert len(server.requests) == 1


def test_progress_reaches_the_end(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    seen: list[tuple[str, int, int]] = []
    obtain(source((server.url + "/file",)), tmp_path, None, server.opener, lambda *now: seen.append(now))
    assert seen[-1] == ("lines.txt", len(LINES), len(LINES))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_connection_that_breaks_again_and_again_is_resumed(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = broken_after(LINES, len(LINES) // 9)
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    ranges = [asked for _, asked in server.requests]
    assert ranges[0] is None
    assert len(ranges) == 10
    assert all(asked for asked in ranges[1:])


def test_a_download_goes_on_in_a_later_process_and_from_another_place(server: Server, tmp_path: Path) -> None:
    server.answers["/dying"] = broken_after(LINES[: len(LINES) // 2], len(LINES))
    with pytest.raises(DataError, match="ends after"):
        fetch(server, tmp_path, "/dying")
    assert kept(tmp_path) == {".partial"}
    server.requests.clear()
    server.answers["/file"] = whole(LINES)
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    assert server.requests == [("/file", f"bytes={len(LINES) // 2}-")]


def test_a_part_of_other_bytes_is_thrown_away_and_fetched_anew(server: Server, tmp_path: Path) -> None:
    pinned = source()
    (tmp_path / f"{pinned.sha256}.partial").write_bytes(OTHER[:1000])
    server.answers["/file"] = whole(LINES)
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    assert [asked for _, asked in server.requests] == ["bytes=1000-", None]


def test_a_server_that_ignores_range_starts_from_the_beginning(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{source().sha256}.partial").write_bytes(LINES[:1000])
    server.answers["/file"] = lambda handler: (
        handler.begin(200, {"Content-Length": str(len(LINES))}),
        handler.wfile.write(LINES),
    )
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES


def test_wrong_bytes_are_not_kept_and_the_next_url_is_used(server: Server, tmp_path: Path) -> None:
    server.answers |= {"/wrong": whole(OTHER), "/file": whole(LINES)}
    assert fetch(server, tmp_path, "/wrong", "/file").read_bytes() == LINES
    assert [path for path, _ in server.requests] == ["/wrong", "/file"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(OTHER), "other bytes than the pinned SHA-256"),
        (whole(LINES[:-1]), "ends after"),
        (whole(LINES + b"!"), "more than the"),
        (endless(), "more than the"),
        (status(404), "HTTP 404"),
        (status(503), r"HTTP 503 \(4 tries\)"),
        (status(206, **{"Content-Range": "bytes 7-9/10"}), "answers HTTP 206"),
        (status(204), "answers HTTP 204"),
    ],
)
def test_one_clear_error(server: Server, tmp_path: Path, answer: object, reason: str) -> None:
    server.answers["/file"] = answer  # type: ignore[assignment]
    with pytest.raises(DataError, match=reason) as caught:
        fetch(server, tmp_path, "/file")
    assert "whole" not in kept(tmp_path)
    assert all(path.stat().st_size <= len(LINES) for path in tmp_path.iterdir())
    assert server.url + "/file" in str(caught.value)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://localhost:1/x", "redirects to something that is not https"),
        ("ftp://localhost/x", "redirects to something that is not https"),
        ("file:///etc/passwd", "HTTP 302"),
        ("data:,x", "HTTP 302"),
    ],
)
def test_a_redirect_away_from_https_is_refused(server: Server, tmp_path: Path, target: str, reason: str) -> None:
    server.answers["/file"] = status(302, Location=target)
    with pytest.raises(DataError, match=reason):
        fetch(server, tmp_path, "/file")


def test_a_redirect_within_https_is_followed_and_a_loop_is_not(server: Server, tmp_path: Path) -> None:
    server.answers |= {"/moved": status(302, Location="/file"), "/file": whole(LINES)}
    server.answers["/round"] = status(302, Location="/round")
    with pytest.raises(DataError, match="HTTP 302"):
        fetch(server, tmp_path, "/round")
    assert fetch(server, tmp_path, "/moved").read_bytes() == LINES


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    with pytest.raises(DataError, match="certificate is not trusted"):
        obtain(source((server.url + "/file",)), tmp_path, None, https_opener())
    assert server.requests == []


def test_an_unreachable_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.001)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{unused.getsockname()[1]}/file"
        with pytest.raises(DataError) as caught:
            obtain(source((url,)), tmp_path / "store", tmp_path / "mirror", https_opener())
    text = str(caught.value)
    for needed in ("lines.txt", url, str(tmp_path / "mirror" / "here.txt"), "no such file", "--mirror", "refused"):
        assert needed in text


def test_a_mirror_comes_first_and_a_wrong_one_is_named(server: Server, tmp_path: Path) -> None:
    mirror, store = tmp_path / "mirror", tmp_path / "store"
    mirror.mkdir()
    (mirror / "here.txt").write_bytes(OTHER)
    with pytest.raises(DataError, match="other bytes than the pinned"):
        fetch(server, store, mirror=mirror)
    (mirror / "here.txt").write_bytes(OTHER[:-1])
    with pytest.raises(DataError, match=f"{len(LINES) - 1:,} bytes"):
        fetch(server, store, mirror=mirror)
    (mirror / "here.txt").write_bytes(LINES)
    assert fetch(server, store, mirror=mirror).read_bytes() == LINES
    assert server.requests == []
    assert kept(store) == {"whole"}


def test_a_copy_that_a_killed_process_left_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_bytes(LINES)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / f"{source().sha256}.copy").write_bytes(LINES[:1000])
    assert obtain(source(), tmp_path / "store", tmp_path, None).read_bytes() == LINES
    assert kept(tmp_path / "store") == {"whole"}


def test_a_stored_file_that_has_changed_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    path = fetch(server, tmp_path, "/file")
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(77)
        file.write(b"!")
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    assert len(server.requests) == 2


def test_a_server_in_trouble_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = in_turn(status(500), status(503), status(429), whole(LINES))
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    assert len(server.requests) == 4


def test_a_server_that_stalls_is_left_and_resumed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SOCKET_TIMEOUT_S", 0.2)
    gone = threading.Event()
    server.answers["/file"] = in_turn(stalls_after(LINES, 5000, gone), whole(LINES))
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    gone.set()
    assert [asked for _, asked in server.requests] == [None, "bytes=5000-"]


def test_a_file_that_changed_in_between_is_not_sewn_together(server: Server, tmp_path: Path) -> None:
    """The server is asked to go on only with the version that was begun, so no byte is fetched twice for nothing."""
    server.answers["/file"] = in_turn(broken_after(OTHER, 7000, '"old"'), whole(LINES, '"new"'))
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES
    assert server.headers[1]["If-Range"] == '"old"'
    assert [asked for _, asked in server.requests] == [None, "bytes=7000-"]


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{source().sha256}.partial").write_bytes(LINES + b"more")
    server.answers["/file"] = whole(LINES)
    assert fetch(server, tmp_path, "/file").read_bytes() == LINES


def test_offline_asks_nobody(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    pinned = source((server.url + "/file",))
    with pytest.raises(DataError, match="/file: not asked: offline"):
        obtain(pinned, tmp_path, None, None)
    assert server.requests == []
    obtain(pinned, tmp_path, None, server.opener)
    assert obtain(pinned, tmp_path, None, None).read_bytes() == LINES


def test_a_file_that_a_package_installed_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "package.txt").write_bytes(LINES)
    pinned = source((server.url + "/file",)).model_copy(update={"installed": str(tmp_path / "package.txt")})
    assert obtain(pinned, tmp_path / "store", None, None).read_bytes() == LINES
    (tmp_path / "package.txt").write_bytes(OTHER)
    server.answers["/file"] = whole(LINES)
    assert obtain(pinned, tmp_path / "other", None, server.opener).read_bytes() == LINES
    assert kept(tmp_path / "other") == {"whole"}


def unknown(server: Server, *paths: str) -> Source:
    """A source of which neither digest nor size is known."""
    urls = tuple(server.url + path for path in paths)
    return Source(name="lines.txt", mirror="here.txt", urls=urls, unverified="nobody here held it")


def test_an_unknown_digest_is_recorded_once_and_then_enforced(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["/file"] = whole(LINES)
    path = obtain(unknown(server, "/file"), tmp_path, None, server.opener)
    assert path.read_bytes() == LINES
    [notice] = caplog.messages
    assert notice.startswith("notice: lines.txt: nobody of the project had verified this file (no digest was known)")
    assert str(source().sha256) in notice and str(tmp_path / "recorded.json") in notice
    assert str(source().sha256) in (tmp_path / "recorded.json").read_text()
    path.unlink()
    server.answers["/file"] = whole(OTHER)
    with pytest.raises(DataError, match=r"than those recorded on .* remove that line from"):
        obtain(unknown(server, "/file"), tmp_path, None, server.opener)
    server.answers["/file"] = whole(LINES)
    assert obtain(unknown(server, "/file"), tmp_path, None, server.opener).read_bytes() == LINES
    assert len(caplog.messages) == 1


def test_a_stored_file_of_unknown_digest_that_changed_is_not_believed(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = whole(LINES)
    path = obtain(unknown(server, "/file"), tmp_path, None, server.opener)
    path.chmod(0o644)
    path.write_bytes(OTHER)
    assert obtain(unknown(server, "/file"), tmp_path, None, server.opener).read_bytes() == LINES


def test_a_cited_digest_is_enforced_from_the_start(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cited = source((server.url + "/file",)).model_copy(update={"unverified": "somebody's list"})
    server.answers["/file"] = whole(OTHER)
    with pytest.raises(DataError, match=r"than the cited SHA-256 .*\n.*somebody's list"):
        obtain(cited, tmp_path, None, server.opener)
    assert not (tmp_path / "recorded.json").exists()
    server.answers["/file"] = whole(LINES)
    obtain(cited, tmp_path, None, server.opener)
    assert "its digest was cited, and holds" in caplog.text


@pytest.mark.parametrize("etag", ['"v"', "", 'W/"v"'])
def test_bytes_of_unknown_digest_are_continued_only_as_the_same_version(
    server: Server, tmp_path: Path, etag: str
) -> None:
    server.answers |= {"/dying": broken_after(OTHER[:9000], 5000, etag), "/file": whole(LINES, etag)}
    server.answers["/dying"] = in_turn(broken_after(OTHER, 5000, etag), status(404))
    assert obtain(unknown(server, "/dying", "/file"), tmp_path, None, server.opener).read_bytes() == LINES
    assert server.requests[-1] == ("/file", None), "another place never goes on with bytes that nothing will check"
    server.requests.clear()
    server.answers["/file"] = in_turn(broken_after(LINES, 5000, etag), whole(LINES, etag))
    assert obtain(unknown(server, "/file"), tmp_path / "second", None, server.opener).read_bytes() == LINES
    assert server.requests[-1][1] == ("bytes=5000-" if etag == '"v"' else None)


def test_an_answer_without_length_is_refused_when_nothing_else_is_known(server: Server, tmp_path: Path) -> None:
    server.answers["/file"] = endless()
    with pytest.raises(DataError, match="does not say how long the file is"):
        obtain(unknown(server, "/file"), tmp_path, None, server.opener)


def test_a_source_without_digest_must_say_why(server: Server) -> None:
    with pytest.raises(ValueError, match="must say why they are unknown"):
        Source(name="lines.txt", mirror="here.txt", urls=(server.url + "/file",))


def test_the_machines_proxy_is_used(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real CONNECT proxy on this machine, named as everywhere by https_proxy."""
    server.answers["/file"] = whole(LINES)
    port = int(server.url.rpartition(":")[2])
    trust = next(h for h in server.opener.handlers if isinstance(h, urllib.request.HTTPSHandler))
    with connect_proxy(port) as (address, asked):
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.setenv("no_proxy", "")
        opener = https_opener(trust._context)  # type: ignore[attr-defined]
        pinned = source(("https://localhost:1/file",))
        assert obtain(pinned, tmp_path, None, opener).read_bytes() == LINES
    assert asked == ["localhost:1"]
