"""`gymboard site serve`: what changes is built again, open pages are told, a failed build leaves the former site."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from scoring.publish.serve import Server, state

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WAIT_S = 20.0


class Work:
    """A folder of sources, a site made of them, and the server that follows."""

    def __init__(self, place: Path) -> None:
        self.source, self.site = place / "source", place / "site"
        self.source.mkdir()
        self.site.mkdir()
        (self.source / "text").write_text("one", encoding="utf-8")
        (self.site / "404.html").write_text("<body>no such page</body>", encoding="utf-8")
        (self.site / "a.txt").write_text("plain", encoding="utf-8")

    def build(self) -> None:
        text = (self.source / "text").read_text(encoding="utf-8")
        if text == "broken":
            raise ValueError("a template is broken")
        policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
        head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        (self.site / "index.html").write_text(f"<head>{head}</head><body><p>{text}</p></body>", encoding="utf-8")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


@pytest.fixture
def port(work: Work) -> Iterator[int]:
    with Server(work.site, 0, [work.source], work.build) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _get(port: int, path: str, host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_pages_get_the_script_and_files_stay_as_they_are(work: Work, port: int) -> None:
    status, page = _get(port, "/")
    assert (status, page.count('<script src="/.live.js"></script></body>')) == (200, 1)
    assert _get(port, "/a.txt") == (200, "plain")
    assert ".live" not in (work.site / "index.html").read_text(encoding="utf-8")


def test_a_port_that_is_taken_is_refused_before_anything_is_built(work: Work, port: int) -> None:
    (work.source / "text").write_text("broken", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"--port {port}: Address already in use; take another with --port"):
        Server(work.site, port, [work.source], work.build)


def test_what_is_not_there_answers_with_the_404_page_and_nothing_outside_is_served(work: Work, port: int) -> None:
    for path in ("/gone.html", "/../source/text", "/%2e%2e/source/text"):
        status, page = _get(port, path)
        assert (status, "no such page" in page) == (404, True), path


def test_another_host_name_gets_nothing(port: int) -> None:
    """A page of a stranger whose name is made to lead here must not read an unpublished run."""
    assert _get(port, "/", host="evil.example:80")[0] == 403
    assert _get(port, "/a.txt", host="evil.example")[0] == 403
    assert _get(port, "/", host=f"localhost:{port}")[0] == 200


def _versions(port: int, change: Callable[[], object]) -> list[bytes]:
    """What an open page hears: the version at first, and the next one after `change`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("GET", "/.live")
    answer = connection.getresponse()
    heard = [answer.readline(), answer.readline()]
    change()
    heard += [answer.readline(), answer.readline()]
    connection.close()
    return heard[::2]


def test_a_change_is_built_and_open_pages_are_told(work: Work, port: int) -> None:
    before, after = _versions(port, lambda: (work.source / "text").write_text("two two", encoding="utf-8"))
    assert before.startswith(b"data: ") and after.startswith(b"data: ") and before != after
    assert "<p>two two</p>" in _get(port, "/")[1]


def test_a_build_that_fails_leaves_the_former_site_and_the_next_one_is_made(
    work: Work, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (work.source / "text").write_text("broken", encoding="utf-8")
    heard = ""
    for _ in range(int(WAIT_S * 10)):
        heard += capfd.readouterr().err
        if "not built: ValueError: a template is broken" in heard:
            break
        threading.Event().wait(0.1)
    assert "not built: ValueError: a template is broken" in heard
    assert "<p>one</p>" in _get(port, "/")[1]
    _versions(port, lambda: (work.source / "text").write_text("mended", encoding="utf-8"))
    assert "<p>mended</p>" in _get(port, "/")[1]


def test_what_is_watched(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("x", encoding="utf-8")
    (tmp_path / "one").write_text("x", encoding="utf-8")
    (tmp_path / "loop").symlink_to(tmp_path)
    watched = [tmp_path / "folder", tmp_path / "one", tmp_path / "gone", tmp_path / "loop"]
    before = state(watched[:3])
    assert {Path(path).name for path in before} == {"a", "one"}
    (tmp_path / "folder" / "a").write_text("xy", encoding="utf-8")
    assert state(watched[:3]) != before
    assert state(watched), "a link to its own folder ends"


@pytest.mark.browser
def test_an_open_page_reloads_under_a_strict_policy(browser: Browser, work: Work, port: int) -> None:
    page = browser.new_context().new_page()
    with page.expect_response("**/.live"):
        page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_timeout(300)
    (work.source / "text").write_text("seen at once", encoding="utf-8")
    page.get_by_text("seen at once").wait_for(timeout=WAIT_S * 1000)
    page.context.close()
