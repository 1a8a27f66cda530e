"""The steps of an episode in a real browser: addresses of steps, full texts from where they lie, and no markup."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.schema.task import load_tasks
from scoring.load import Loaded
from scoring.publish.build import site_sources
from scoring.publish.content import Content
from scoring.publish.evidence import PUBLIC, addressed
from scoring.publish.templates import environment
from scoring.publish.texts import Texts
from tests.site.fixture import HOSTILE, PAYLOAD, TRACE, bundle, leaderboard, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
ENTRY = "entries/entry-3.html"
LOCAL = "entries/entry-5.preview.html"
SEEN = HOSTILE.replace("\u202e", "\ufffd")


@contextmanager
def opened(browser: Browser, address: str, answer: bytes | int | None = None) -> Iterator[Page]:
    """The page; its payload's host gives `answer`, a status, or nothing at all."""
    page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
    faults: list[str] = []

    def give(route: Route) -> None:
        if answer is None:
            route.abort()
            return
        body, status = (b"", answer) if isinstance(answer, int) else (answer, 200)
        route.fulfill(status=status, body=body, headers={"Access-Control-Allow-Origin": "*"})

    page.route("https://payload.example/**", give)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append("a script of an entry ran"), dialog.dismiss()))
    page.goto(address, wait_until="load")
    yield page
    page.context.close()
    assert faults == []


def test_an_address_of_a_step_opens_it(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{ENTRY}#house-price.0.step-5") as page:
        row = page.locator("[id='house-price.0.step-5']")
        row.wait_for()
        assert page.locator(".gb-steps > li").count() == len(TRACE)
        assert row.inner_text().split()[:4] == ["5", "-", "no", "action"]
        assert row.evaluate("row => row === document.activeElement")
        top, bottom = row.evaluate("row => [row.getBoundingClientRect().top, row.getBoundingClientRect().bottom]")
        assert 0 < top < bottom < 700
        page.locator(".gb-wrong a[href$='step-4']").click()
        page.locator("[id='house-price.0.step-4']:focus").wait_for()
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
        assert len(ids) == len(set(ids))


def test_a_bare_step_is_one_of_the_first_episode_and_nonsense_is_nothing(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{ENTRY}#step-3") as page:
        page.locator("[id='house-price.0.step-3']").wait_for()
    for fragment in ("#house-price.0.step-99", "#step-0", "#no-task.7.step-1", "#%E0%A4%A", "#house-price.0.step-x"):
        with opened(browser, f"{hostile}/{ENTRY}{fragment}") as page:
            assert page.locator("h1").is_visible()
            assert page.locator(".gb-here").count() == 0


def test_the_full_text_comes_from_the_payloads_place_and_is_text(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{ENTRY}#house-price.0", part()) as page:
        page.get_by_role("button", name="Full text (from payload.example").click()
        page.get_by_text("the bytes that the entry's record names").wait_for()
        page.locator("[id='house-price.0.step-3'] summary").click()
        texts = page.locator("[id='house-price.0.step-3'] pre").all_inner_texts()
        assert texts == [SEEN, f"{SEEN} 3", SEEN, SEEN]
        assert page.locator(".gb-steps script").count() == 0
        named = page.locator("[id='house-price.0.step-2'] pre").nth(2).text_content() or ""
        assert named.startswith("open {") and "<script>" in named


@pytest.mark.parametrize(
    ("more", "words"),
    [(b"", "These are the bytes that the entry's record names"), (b" ", "These are not the bytes")],
)
def test_where_the_record_is_public_it_names_the_digest(
    browser: Browser, hostile: str, more: bytes, words: str
) -> None:
    record, env = bundle().canonical(), environment(site_sources() / "site" / "templates")
    made = Content(leaderboard(), load_tasks(), {}, env, place=PUBLIC)
    own = Loaded(bundle(), hashlib.sha256(record).hexdigest())
    (one,) = (one for one in made.entries() if one.row.id == "entry-3")
    board = "https://payload.example/board"
    provenance = addressed(made.body(one, Texts(), own), board)["entry-provenance"]
    assert hashlib.sha256(part()).hexdigest() not in provenance
    with opened(browser, f"{hostile}/{ENTRY}#house-price.0", part()) as page:
        answer = {"body": record + more, "headers": {"Access-Control-Allow-Origin": "*"}}
        page.route(f"{board}/entry-3/bundle.json", lambda route: route.fulfill(**answer))
        page.evaluate("html => document.querySelector('.gb-provenance').parentNode.innerHTML = html", provenance)
        page.get_by_role("button", name="Full text").click()
        page.get_by_text(words).wait_for()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"other bytes", "not the bytes that the entry's record names"),
        (404, "payload.example gave 404."),
        (None, "payload.example gave nothing."),
    ],
)
def test_a_payload_that_cannot_be_had_says_so_and_a_file_does_as_well(
    browser: Browser, hostile: str, tmp_path: Path, answer: bytes | int | None, words: str
) -> None:
    with opened(browser, f"{hostile}/{ENTRY}#house-price.0", answer) as page:
        page.get_by_role("button", name="Full text").click()
        page.get_by_text(words).wait_for()
        assert page.get_by_role("link", name="Download house-price.tar.zst").get_attribute("href") == PAYLOAD
        file = tmp_path / "house-price.tar.zst"
        file.write_bytes(part())
        page.get_by_label("house-price.tar.zst, downloaded").set_input_files(file)
        page.get_by_text("These are the bytes that the entry's record names").wait_for()
        assert page.locator("[id='house-price.0.step-7'] pre").count() > 0


def test_the_page_may_ask_its_payloads_host_and_no_other(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{ENTRY}", part()) as page:
        ask = "url => fetch(url).then(() => 'had', () => 'refused')"
        assert page.evaluate(ask, PAYLOAD) == "had"
        page.route("https://other.example/**", lambda route: route.fulfill(body="x"))
        assert page.evaluate(ask, "https://other.example/x") == "refused"


def test_a_local_build_shows_the_text_at_once(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{LOCAL}#house-price.0.step-3") as page:
        step = page.locator("[id='house-price.0.step-3']")
        step.locator("pre").first.wait_for()
        assert step.locator("pre").last.inner_text() == SEEN
        assert "python, 1.5 s, exit 1" in step.locator("summary").inner_text().replace("\n", " ")


def test_without_scripts_every_episode_and_fault_is_there(browser: Browser, hostile: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{hostile}/{ENTRY}#house-price.0.step-4", wait_until="load")
    letters = page.locator(".gb-task p", has_text=TRACE).first
    assert letters.is_visible(), "the address opens the task's block"
    assert page.locator("[id='house-price.0.step-4']").is_visible()
    context.close()


def test_steps_open_by_keyboard_alone(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/{ENTRY}#house-price.0") as page:
        page.get_by_role("button", name="Steps").first.focus()
        page.keyboard.press("Enter")
        page.locator(".gb-steps").wait_for()
        for _ in range(9):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "SUMMARY":
                break
        page.keyboard.press("Enter")
        assert page.locator(".gb-steps details[open]").count() == 1
        page.get_by_role("button", name="Steps").first.press("Space")
        assert not page.locator(".gb-steps").is_visible()
