"""axe-core finds nothing on any type of page, in both schemes, at three widths, with everything unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site.pages import COMMITTED, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1280)
SCHEMES = ("default", "slate")
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"], preload: false})).violations.flatMap(
  v => v.nodes.map(n => `${v.id} (${v.impact}): ${n.target.join(" ")}  ${n.html.slice(0, 160)}`))"""
"""Without preloading: style sheets are fetched again for one rule that is off, films for one that we have none for."""

_FRAME = """() => new Promise(done => {
  requestAnimationFrame(() => setTimeout(done, 0));
  setTimeout(done, 2000);
})"""
"""A busy machine may have no frame for a page, ever."""


def _violations(page: Page) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.evaluate("scheme => document.body.setAttribute('data-md-color-scheme', scheme)", scheme)
            page.evaluate(_FRAME)
            found += [f"{width} {scheme} {violation}" for violation in page.evaluate(_RUN)]
    return found


def _open(browser: Browser, address: str, axe: str) -> Page:
    # Nothing moves: a colour in transition would be measured half way.
    page = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce").new_page()
    page.goto(address, wait_until="networkidle")
    page.evaluate("() => document.querySelectorAll('main details').forEach(details => { details.open = true; })")
    page.evaluate(axe)
    return page


@pytest.mark.parametrize("path", COMMITTED.values(), ids=COMMITTED)
def test_no_violation(browser: Browser, committed: str, axe: str, path: str) -> None:
    page = _open(browser, f"{committed}/{path}", axe)
    assert _violations(page) == []
    page.context.close()


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_no_violation_whatever_entries_say(browser: Browser, hostile: str, axe: str, path: str) -> None:
    page = _open(browser, f"{hostile}/{path}", axe)
    assert _violations(page) == []
    page.context.close()


def test_no_violation_in_steps_that_are_open(browser: Browser, hostile: str, axe: str) -> None:
    page = _open(browser, f"{hostile}/{HOSTILE['hostile entry']}", axe)
    page.get_by_role("button", name="Steps").first.click()
    page.locator(".gb-steps").wait_for()
    page.evaluate("() => document.querySelectorAll('.gb-steps details').forEach(step => { step.open = true; })")
    assert _violations(page) == []
    page.context.close()


@pytest.mark.parametrize("toggle", ["__search", "__drawer"])
def test_no_violation_while_search_or_navigation_is_open(
    browser: Browser, committed: str, axe: str, toggle: str
) -> None:
    page = _open(browser, f"{committed}/methodology.html", axe)
    page.evaluate("id => document.getElementById(id).click()", toggle)
    page.wait_for_timeout(400)
    assert _violations(page) == []
    page.context.close()


def test_axe_sees_what_is_wrong(browser: Browser, committed: str, axe: str) -> None:
    """A gate that cannot fail is no gate."""
    page = _open(browser, f"{committed}/data.html", axe)
    page.evaluate("() => document.querySelector('article').insertAdjacentHTML('beforeend', '<button></button>')")
    assert any("button-name" in violation for violation in page.evaluate(_RUN))
    page.context.close()
