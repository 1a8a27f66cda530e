"""Every page that a build makes is of a type that the gates look at; without scripts it says what it says with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.pages import COMMITTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MANY = ("tasks", "entries", "decisions", "ledger")
"""Folders whose pages come from one template each."""
COMPUTED = ("compare.html", "what-if.html")
"""Pages that are nothing without scripts, and say so."""
IDLE = """() => [...document.querySelectorAll('button, input, select, textarea, label[for]:not([for=__drawer])')]
  .filter(one => one.checkVisibility() && !one.closest('.md-nav'))
  .filter(one => one.tagName === 'LABEL' || (one.focus(), document.activeElement === one))
  .map(one => one.outerHTML.slice(0, 100))"""
"""Controls that can be seen or reached. The navigation opens without scripts."""
WORDS = """() => {
  const added = '.gb-filter, .gb-ranking .k-pick, .gb-do, .gb-readout, [data-spec], .headerlink, .md-code__nav';
  document.querySelectorAll(added).forEach(one => one.remove());
  return document.querySelector('article').innerText;
}"""
"""What a page says but for what only scripts can work."""


def test_every_page_of_a_build_is_of_a_type_that_is_judged(committed_site: Path) -> None:
    built = {page.relative_to(committed_site).as_posix() for page in committed_site.rglob("*.html")}
    listed = set(COMMITTED.values())
    assert listed <= built
    sampled = {folder for folder in MANY if any(page.startswith(f"{folder}/") for page in listed)}
    assert sampled == set(MANY)
    assert {page for page in built - listed if page.partition("/")[0] not in sampled} == set()


@pytest.mark.browser
def test_without_scripts_a_page_says_what_it_says_with_them(browser: Browser, committed: str) -> None:
    """And shows no control that would do nothing."""
    found: dict[bool, dict[str, list[str]]] = {}
    for scripts in (True, False):
        page = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts).new_page()
        found[scripts] = {}
        for path in COMMITTED.values():
            page.goto(f"{committed}/{path}", wait_until="load")
            found[scripts][path] = page.evaluate(WORDS).split()
            if not scripts:
                assert page.locator("h1").is_visible(), path
                assert page.evaluate(IDLE) == [], f"{path}: without effect"
        page.context.close()
    for path in set(COMMITTED.values()) - set(COMPUTED):
        assert found[False][path] == found[True][path], path
