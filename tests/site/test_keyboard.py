"""Three users and a keyboard: a reader, a submitter and a maintainer get there by Tab, Enter, Space and letters alone.

Whatever the Tab key stops at is in sight, is not hidden under a bar, and shows that it has the focus.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PAGES = (
    "index.html",
    "compare.html",
    "what-if.html",
    "failures.html",
    "published.html",
    "tasks/colonel-blotto.html",
    "entries/gpt-4o-mlgym.html",
    "ledger.html",
    "methodology.html",
)
MOST = 160
"""Stops of the Tab key from a page's top that are looked at, and how far a path may be."""
STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const shown = one.matches('.md-option') ? one.nextElementSibling : one;  // the theme shows a box's label instead
  const hit = (x, y) => {
    const top = x >= 0 && y >= 0 && document.elementFromPoint(x, y);
    return top && (shown.contains(top) || top.contains(shown));
  };
  const seen = [...shown.getClientRects()].some(box => [0.1, 0.5, 0.9].some(share =>
    hit(box.left + Math.min(box.width / 2, 12), box.top + share * box.height)));
  const faults = [];
  if (!shown.checkVisibility({opacityProperty: true, visibilityProperty: true})) faults.push('not visible');
  else if (!seen) faults.push('out of sight or under something');
  if (getComputedStyle(shown).outlineStyle === 'none' && !one.matches('.md-search__input')) faults.push('no mark');
  return [faults.join(', '), one.outerHTML.slice(0, 110)];
}"""


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280) -> Iterator[Page]:
    page = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce").new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address, wait_until="load")
    yield page
    page.context.close()
    assert faults == []


def go_to(page: Page, selector: str) -> int:
    """Press Tab until the focus is on it; gives how often."""
    for pressed in range(1, MOST + 1):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return pressed
    raise AssertionError(f"{selector} is not among the first {MOST} stops of {page.url}")


def follow(page: Page, selector: str, address: str) -> None:
    """Go to a link by Tab and press Enter."""
    go_to(page, selector)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{address}")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_every_stop_of_the_tab_key_is_seen(browser: Browser, committed: str, path: str, width: int) -> None:
    faults, stops = [], 0
    with opened(browser, f"{committed}/{path}", width) as page:
        for _ in range(MOST):
            page.keyboard.press("Tab")
            found = page.evaluate(STOP)
            if found is None:
                break
            if found[0]:
                page.wait_for_timeout(500)  # what slides in may be on its way
                found = page.evaluate(STOP)
            stops += 1
            if found[0]:
                faults.append(found)
    assert faults == []
    assert stops >= 20


def test_one_key_skips_the_navigation(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/index.html") as page:
        assert go_to(page, ".md-skip") == 1
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('article') !== null")


def test_a_reader_finds_the_best_under_a_dollar_and_why_it_failed(browser: Browser, committed: str) -> None:
    """Home: sort by cost, keep who is cheap, pick two, compare them, open one, read the step at which it failed."""
    with opened(browser, f"{committed}/index.html") as page:
        go_to(page, ".gb-filter [name=cost]")
        for _ in range(3):
            if page.locator(".gb-filter [name=cost]").input_value() != "1":
                page.keyboard.press("ArrowDown")
        page.get_by_text("2 of 5").wait_for()
        go_to(page, "#ranking-table [data-key=usd]")
        page.keyboard.press("Enter")
        assert page.locator("#ranking-table th[aria-sort=ascending]").inner_text().startswith("$")
        for _ in range(2):
            go_to(page, "#ranking-table tbody input")
            page.keyboard.press("Space")
        assert page.locator(".gb-go").inner_text() == "Compare 2"
        page.keyboard.press("Shift+Tab")
        for _ in range(MOST):
            if page.evaluate("document.activeElement.matches('.gb-go')"):
                break
            page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/compare.html?ids=*,*")
        page.locator(".gb-compared").wait_for()
        go_to(page, ".gb-compared thead a")
        page.keyboard.press("Enter")
        page.wait_for_url("**/entries/*.html")
        go_to(page, ".gb-wrong a[href*='step-']")
        page.keyboard.press("Enter")
        page.locator(".gb-steps .gb-here:focus").wait_for()
        assert page.locator(".gb-here details[open]").count() == 1


def test_a_submitter_finds_how_to_enter_and_what_a_task_asks(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/index.html") as page:
        follow(page, ".gb-next a[href='submit.html']", "submit.html")
        assert "gymboard run" in page.locator("article").inner_text()
        follow(page, ".md-tabs__link[href='tasks/index.html']", "tasks/index.html")
        follow(page, "article table a[href='three-sat.html']", "tasks/three-sat.html")
        assert "What the agent is told" in page.locator("article").inner_text()


def test_a_maintainer_follows_a_decision_to_its_entry_and_its_commands(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/index.html") as page:
        follow(page, ".md-tabs__link[href='ledger.html']", "ledger.html")
        follow(page, ".gb-ledger a[href='entries/reference-baseline.html']", "entries/reference-baseline.html")
        assert "ssh-keygen -Y verify" in page.locator("article").inner_text()
        follow(page, "article a[href*='ledger/0.html#line-']", "ledger/0.html#line-*")
        line = page.locator(page.evaluate("location.hash"))
        assert line.is_visible()


def test_search_opens_answers_and_closes_by_keys(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/methodology.html") as page:
        page.keyboard.press("/")
        page.keyboard.type("baseline")
        page.locator(".md-search-result__link").first.wait_for()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.matches('.md-search-result__link')")
        page.keyboard.press("Escape")
        page.locator(".md-search-result__link").first.wait_for(state="hidden")


def test_the_colour_scheme_changes_by_key_and_stays(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/data.html") as page:
        before = page.evaluate("document.body.dataset.mdColorScheme")
        go_to(page, ".md-option")
        page.keyboard.press("ArrowDown")
        after = page.evaluate("document.body.dataset.mdColorScheme")
        assert {before, after} == {"default", "slate"}
        page.reload(wait_until="networkidle")
        assert page.evaluate("document.body.dataset.mdColorScheme") == after


def test_on_a_phone_the_navigation_opens_by_key(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/methodology.html", width=390) as page:
        follow(page, ".md-nav--primary a[href='rules.html']", "rules.html")
