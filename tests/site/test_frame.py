"""Stamped pages get the theme's frame from one script, and have all its links without it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import GymboardError
from scoring.publish.frame import SCRIPT, framed
from scoring.publish.policy import bare

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

ENTRY = "entries/reference-baseline.html"
SHELL = """<html><head><script>a=1</script><title>t</title></head><body dir="ltr"><input id="__drawer"><header>
<div data-md-component="header-topic"><span class="md-ellipsis">slot--entry-title--slot</span></div></header>
<div class="md-container" data-md-component="container">
<nav><a href="../index.html" class="md-tabs__link"> Board </a></nav>
<main class="md-main" data-md-component="main"><div class="md-main__inner md-grid"><nav>side</nav>
<div class="md-content" data-md-component="content"><article id="x">slot--entry-head--slot</article></div></div></main>
<footer class="md-footer"><div class="md-footer-meta md-typeset"><div class="md-footer-meta__inner md-grid">
<div class="md-copyright"><div class="md-copyright__highlight"> Ours. </div></div></div></div></footer></div>
<script id="__config" type="application/json">{}</script>
<script src="../assets/gymboard.js"></script></body></html>""".replace("\n", "")


def test_what_every_page_repeats_goes_into_the_script_and_the_slots_of_the_page_stay() -> None:
    page, script = framed(SHELL)
    assert "slot--entry-head--slot" in page and "slot--" not in script
    for gone in ("__drawer", "side", "__config", "a=1"):
        assert gone not in page and gone in script
    assert "<a href=../index.html>Board</a>" in page
    assert f"<script src=../{SCRIPT}></script>" in page
    assert "<footer class=md-footer><p class=md-grid>Ours.</footer>" in page


@pytest.mark.parametrize(
    "mark",
    [
        '<div class="md-container"',
        '<main class="md-main"',
        'class="md-tabs__link"',
        "header-topic",
        "../assets/gymboard.js",
        '<footer class="md-footer">',
    ],
)
def test_a_theme_that_builds_its_pages_otherwise_is_refused(mark: str) -> None:
    with pytest.raises(GymboardError, match="Did the theme change"):
        framed(SHELL.replace(mark, "x"))


def test_a_shell_with_an_inline_script_keeps_no_policy_without_its_digest() -> None:
    meta = '<meta http-equiv="Content-Security-Policy" content="script-src &#39;self&#39; &#39;sha256-a+/=&#39;; x">'
    assert bare(meta) == '<meta http-equiv="Content-Security-Policy" content="script-src \'self\'; x">'
    with pytest.raises(GymboardError, match="inline script"):
        bare(f"{meta}<script>a=1</script>")
    with pytest.raises(GymboardError, match="no policy"):
        bare("<p>x</p>")


def test_the_frame_of_an_entry_page_is_small_and_links_what_the_tabs_link(committed_site: Path) -> None:
    html = (committed_site / ENTRY).read_text(encoding="utf-8")
    frame = re.sub(r"<article.*</article>", "", html, flags=re.S)
    assert len(frame) < 4500
    tabs = re.findall(
        r'<a href="([^"]*)" class="md-tabs__link">', (committed_site / "decisions/index.html").read_text()
    )
    assert len(tabs) > 5
    assert re.findall(r"<a href=(\S+?)>", frame) == [re.sub("^index", "../decisions/index", tab) for tab in tabs]


@pytest.mark.browser
def test_with_scripts_it_is_the_frame_of_every_other_page(browser: Browser, committed: str) -> None:
    kept = """() => [...document.querySelectorAll(
      '.md-header *, .md-tabs *, .md-sidebar--primary, .md-dialog, body > input')]
      .filter(one => !one.matches('script') && !one.closest('.md-header__topic:last-child'))
      .map(one => one.className.baseVal ?? one.className)"""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{committed}/decisions/0008-entries-enter-through-the-ledger.html", wait_until="networkidle")
    wanted = page.evaluate(kept)
    page.goto(f"{committed}/{ENTRY}", wait_until="networkidle")
    shown = page.evaluate(kept)
    assert [name.replace(" md-tabs__item--active", "") for name in shown] == [
        name.replace(" md-tabs__item--active", "") for name in wanted
    ]
    assert page.locator(".gb-plain").count() == 0
    page.locator(".md-search__input").click()
    page.locator(".md-search__input").fill("baseline")
    page.locator(".md-search-result__item").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("form[data-md-component=palette] label:visible").click()
    after = page.evaluate("document.body.dataset.mdColorScheme")
    page.reload(wait_until="networkidle")
    assert page.evaluate("document.body.dataset.mdColorScheme") == after == "slate"
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_when_the_frame_comes_late(browser: Browser, committed: str, width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    page.add_init_script(
        "new PerformanceObserver(list => list.getEntries().forEach(({ value }) =>"
        " window.gbShift = (window.gbShift ?? 0) + value)).observe({ type: 'layout-shift', buffered: true })"
    )

    def late(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route(f"**/{SCRIPT}", late)
    page.goto(f"{committed}/{ENTRY}", wait_until="networkidle")
    assert page.locator(".gb-plain").count() == 0
    assert page.evaluate("window.gbShift ?? 0") <= 0.01
    page.context.close()


@pytest.mark.browser
def test_without_scripts_there_is_a_way_to_every_section(browser: Browser, committed: str) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800}).new_page()
    page.goto(f"{committed}/{ENTRY}")
    links = page.locator(".gb-plain nav a")
    assert links.count() > 5 and all(link.is_visible() for link in links.all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    links.filter(has_text="Ledger").click()
    page.wait_for_url("**/ledger.html")
    page.context.close()
