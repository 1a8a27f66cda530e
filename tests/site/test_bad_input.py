"""Whatever the board lacks, each page still makes sense: looked at in a browser, on a phone and on a desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scoring.publish.links import check_site
from tests.site.browser import served
from tests.site.gates import html_faults
from tests.site.odd import LONG, ODD, UNBROKEN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

pytestmark = pytest.mark.browser
PAGES = (
    "index.html",
    "published.html",
    "compare.html",
    "what-if.html",
    "failures.html",
    "ledger.html",
    "data.html",
    "tasks/index.html",
    "tasks/house-price.html",
    "tasks/coco-captioning.html",
)
SENSELESS = re.compile(r"\b(None|NaN|nan|undefined|null|Infinity|inf)\b|\[object ")
"""What code says when it knows nothing."""
LOOK = """() => {
  const cut = [...document.querySelectorAll('article *')].filter(one => one.clientWidth && one.checkVisibility()
    && ['hidden', 'clip'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).textOverflow !== 'ellipsis' && getComputedStyle(one).webkitLineClamp === 'none');
  return {
    words: [...document.querySelectorAll('article .gb')].map(one => one.innerText).join('\\n'),
    wider: document.documentElement.scrollWidth - innerWidth,
    cut: cut.map(one => one.outerHTML.slice(0, 120)),
    empty: [...document.querySelectorAll('article table')].filter(one => one.checkVisibility() && !one.rows[1]).length,
  };
}"""


WAIT = """() => new Promise(done => {
  requestIdleCallback(() => requestAnimationFrame(done), {timeout: 500});
  setTimeout(done, 2000);
})"""
"""A busy machine may have neither an idle moment nor a frame for a page, ever: two seconds are enough for both."""
Sites = Callable[[str], Path]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Each site is built once."""
    return cache(lambda name: ODD[name](tmp_path_factory.mktemp("odd")))


@contextmanager
def looked_at(browser: Browser) -> Iterator[Page]:
    """A page that fails the test for whatever it says to its console."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    yield page
    page.context.close()
    assert faults == []


def paths(site: Path) -> list[str]:
    return [*PAGES, *(f"entries/{page.name}" for page in sorted((site / "entries").glob("*.html")))]


def go(page: Page, address: str) -> None:
    """Open it; what scripts add is there."""
    page.goto(address, wait_until="load")
    for _ in range(200):
        if page.evaluate(
            "![...document.querySelectorAll('.gb-form')].some(form => !form.querySelector('output').textContent)"
        ):
            break
        page.wait_for_timeout(20)
    page.evaluate(WAIT)


@pytest.mark.parametrize("name", ODD)
def test_each_page_makes_sense(browser: Browser, sites: Sites, name: str) -> None:
    site, faults = sites(name), []
    with served(site) as address, looked_at(browser) as page:
        for path in paths(site):
            go(page, f"{address}/{path}")
            assert page.locator("h1").is_visible()
            for width in (360, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                page.evaluate(WAIT)
                found = page.evaluate(LOOK)
                faults += [(path, width, what, found[what]) for what in ("wider", "cut", "empty") if found[what]]
            faults += [(path, line) for line in found["words"].split("\n") if SENSELESS.search(line)]
    assert faults == []


def test_their_links_lead_somewhere_and_their_html_is_valid(sites: Sites, gates: None) -> None:
    assert [fault for name in ODD for fault in check_site(sites(name))] == []
    assert html_faults([sites(name) / path for name in ODD for path in paths(sites(name))]) == []


def words(browser: Browser, site: Path, path: str) -> str:
    """The article of a page, scripts included, on one line."""
    with served(site) as address, looked_at(browser) as page:
        go(page, f"{address}/{path}")
        return " ".join(str(page.locator("article").inner_text()).split())


SAID = {
    "empty": {
        "index.html": ("No entry is ranked yet.", "Baseline"),
        "published.html": ("No published results have been imported.",),
        "compare.html": ("No agent has a score to compare yet.",),
        "failures.html": ("No episode is on a board yet.",),
        "ledger.html": ("The ledger holds no line yet",),
        "tasks/house-price.html": ("No entry has been regraded on this task yet.",),
    },
    "one entry": {
        "index.html": ("it is the only ranked entry", "1 agent"),
        "compare.html": ("Name two agents with an AUP.",),
        "what-if.html": ("gpt-4o leads. 0 of 1 agents change rank.",),
        "entries/alone.html": ("Level regraded.",),
    },
    "all failed": {
        "index.html": ("3 agents", "0/48"),
        "failures.html": ("144 of 144 episodes ended without any score (100%).",),
        "tasks/house-price.html": ("12 of 12 episodes have no score at all.",),
        "entries/first.html": ("Valid episodes 0/48",),
    },
    "mixed": {
        "index.html": ("N/A", "partial: ran 2 of the season's 12 tasks"),
        "entries/unpriced.html": ("Cost per episode N/A",),
        "entries/failed.html": ("48 without any score",),
        "entries/gone.html": (
            "Removed on 2026-11-20 by a decision in the ledger: a copied artifact",
            "Nothing is shown",
        ),
        "entries/waiting.html": ("Not regraded yet.",),
        "ledger.html": ("removal", "a copied artifact"),
    },
    "long names": {"index.html": (LONG,), "failures.html": (LONG,), "compare.html": (f"{UNBROKEN} is behind",)},
    "too long": {
        "ledger.html": ("Folders that are on no board", "too-long", "entry.agent"),
        "index.html": ("1 agent",),
    },
}


@pytest.mark.parametrize("name", ODD)
def test_it_says_what_is_missing(browser: Browser, sites: Sites, name: str) -> None:
    for path, wanted in SAID[name].items():
        said = words(browser, sites(name), path)
        assert [one for one in wanted if one not in said] == [], (path, said[:3000])


def test_who_was_removed_is_on_no_other_page(sites: Sites) -> None:
    for page in sites("mixed").rglob("*.html"):
        if page.name not in ("gone.html", "ledger.html") and page.parent.name != "ledger":
            assert "entries/gone.html" not in page.read_text(encoding="utf-8"), page


def test_long_names_make_no_chart_higher_than_its_place(browser: Browser, sites: Sites) -> None:
    with served(sites("long names")) as address, looked_at(browser) as page:
        go(page, f"{address}/index.html")
        box = page.locator(".gb-charts").bounding_box()
        assert box is not None and box["height"] <= 300
