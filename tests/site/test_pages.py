"""Every page that a build makes is of a type that the gates look at; without scripts it says what it says with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.pages import COMMITTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MANY = ("tasks", "entries", "decisions")
"""Folders whose pages come from one template each."""
COMPUTED = ("compare.html", "what-if.html")
"""Pages that are nothing without scripts, and say so."""
CONTROLS = "button, input, select, textarea, [role=button], label[for], summary:not(details > summary)"
WORDS = "document.querySelector('article').innerText"


def test_every_page_of_a_build_is_of_a_type_that_is_judged(committed_site: Path) -> None:
    built = {page.relative_to(committed_site).as_posix() for page in committed_site.rglob("*.html")}
    listed = set(COMMITTED.values())
    assert listed <= built
    sampled = {folder for folder in MANY if any(page.startswith(f"{folder}/") for page in listed)}
    assert sampled == set(MANY)
    assert {page for page in built - listed if page.partition("/")[0] not in sampled} == set()


@pytest.mark.browser
@pytest.mark.parametrize("path", [path for path in COMMITTED.values() if path not in COMPUTED])
def test_without_scripts_a_page_says_what_it_says_with_them(browser: Browser, committed: str, path: str) -> None:
    said = []
    for scripts in (True, False):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{committed}/{path}", wait_until="networkidle" if scripts else "load")
        for control in page.locator(".gb-filter, .gb-do, .gb-readout, [data-spec], .headerlink, .md-code__nav").all():
            control.evaluate("one => one.remove()")
        said.append(page.locator("article").first.inner_text().split())
        if not scripts:
            assert page.locator("h1").is_visible()
            idle = [
                one.evaluate("one => one.outerHTML.slice(0, 90)")
                for one in page.locator("body").locator(CONTROLS).all()
                if one.is_visible()
            ]
            assert idle == [], "it would do nothing"
        context.close()
    assert said[0] == said[1]
