"""On paper a page is its words and figures: no controls, nothing cut, dark ink whatever the scheme on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site.pages import COMMITTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PAPER = 680
"""Pixels between the margins of A4."""


@pytest.mark.parametrize("path", COMMITTED.values())
def test_a_page_on_paper(browser: Browser, committed: str, path: str) -> None:
    context = browser.new_context(viewport={"width": PAPER, "height": 960}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{committed}/{path}", wait_until="load")
    page.emulate_media(media="print", color_scheme="dark")
    for control in (".md-header", ".md-tabs", ".md-footer", ".md-sidebar", ".headerlink", ".gb-filter"):
        assert not any(found.is_visible() for found in page.locator(control).all()), control
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
    cut = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0"
        " && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)).map(e => e.outerHTML.slice(0, 100))"
    )
    assert cut == []
    thin = page.evaluate(
        "[...document.querySelectorAll('main td')].filter(e => e.checkVisibility() && e.innerText.trim().length > 9 &&"
        " e.getBoundingClientRect().width < 30).map(e => e.outerHTML.slice(0, 100))"
    )
    assert thin == [], "a column of one letter a line"
    ink, paper = page.evaluate(
        "[getComputedStyle(document.querySelector('h1')).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink == "rgb(0, 0, 0)"
    assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    context.close()
