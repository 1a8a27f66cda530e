"""The site in a real browser: phones, sorting, filtering, without JavaScript, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.site.pages import COMMITTED, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

pytestmark = pytest.mark.browser


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280, scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(address, wait_until="networkidle" if scripts else "load")
    yield page
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_the_screen(browser: Browser, committed: str, hostile: str, width: int) -> None:
    own = [f"{committed}/{path}" for path in COMMITTED.values()]
    long_names = [f"{hostile}/{path}" for path in HOSTILE.values()]
    with opened(browser, own[0], width) as page:
        for address in (*own, *long_names):
            page.goto(address, wait_until="load")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, address


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_no_text_of_the_committed_site_is_cut(browser: Browser, committed: str, width: int) -> None:
    """Names of 300 characters are, after three lines; ours are not."""
    with opened(browser, f"{committed}/index.html", width) as page:
        for path in COMMITTED.values():
            page.goto(f"{committed}/{path}", wait_until="networkidle")
            assert page.evaluate(_CUT) == [], path


_CUT = """() => [...document.querySelectorAll('.md-content *')].filter(e => { const { overflowX, overflowY } =
  getComputedStyle(e); return e.checkVisibility() && e.clientWidth > 1 && e.textContent.trim() &&
  [overflowX, overflowY].some(over => ['hidden', 'clip'].includes(over)) &&
  (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
}).map(e => e.outerHTML.slice(0, 120))"""


def test_a_phone_shows_rank_agent_aup_and_cost_without_scrolling(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/index.html", 360) as page:
        heads = page.locator("#ranking-table thead th")
        shown = [heads.nth(place).inner_text() for place in range(heads.count()) if heads.nth(place).is_visible()]
        assert [head.replace("\n", " ") for head in shown] == ["Rank", "Agent", "AUP", "$ / episode"]
        box = page.locator("[aria-label^='Ranking']").first
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_a_phone_shows_two_compared_agents_without_scrolling(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/compare.html", 360) as page:
        table = page.locator(".gb-compared")
        assert table.locator("thead th").count() == 3
        assert table.evaluate("table => table.parentElement.scrollWidth - table.parentElement.clientWidth") <= 0


def test_no_page_logs_an_error_or_asks_another_origin(browser: Browser, committed: str, hostile: str) -> None:
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((committed, hostile, "data:")):
            faults.append(f"asked {request.url}")

    def opened_by_a_script(dialog: Dialog) -> None:
        faults.append("a script of an entry ran")
        dialog.dismiss()

    context = browser.new_context()
    page = context.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", opened_by_a_script)
    page.on("request", asked)
    paths = [
        *(f"{committed}/{path}" for path in COMMITTED.values()),
        f"{hostile}/index.html",
        f"{hostile}/entries/entry-3.html",
    ]
    for path in paths:
        page.goto(path, wait_until="networkidle")
    context.close()
    assert faults == []


def test_everything_is_readable_without_javascript(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/index.html", scripts=False) as page:
        assert page.locator("#ranking-table tbody tr").count() == 6
        assert all(row.is_visible() for row in page.locator("#ranking-table tbody tr").all())
        assert page.locator(".gb-chart-wide svg").first.is_visible()
        assert not page.locator(".gb-filter").first.is_visible()  # it would do nothing
    for path in ("tasks/three-sat.html", "entries/gpt-4o-mlgym.html"):
        with opened(browser, f"{committed}/{path}", scripts=False) as page:
            assert page.locator("h1").is_visible()
            assert page.locator("table.gb-table").first.is_visible()


@pytest.mark.parametrize(
    "path", ["index.html", "published.html", "tasks/colonel-blotto.html", "entries/gpt-4o-mlgym.html"]
)
def test_whatever_scrolls_can_be_reached_and_has_a_name(browser: Browser, committed: str, path: str) -> None:
    with opened(browser, f"{committed}/{path}", 360) as page:
        page.wait_for_function("document.querySelectorAll('.md-typeset__scrollwrap:not([tabindex])').length === 0")
        unreachable = page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 &&"
            " ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.clientWidth > 0 &&"
            " e.tabIndex < 0 && !e.closest('details:not([open])')).map(e => e.outerHTML.slice(0, 120))"
        )
        assert unreachable == []
        nameless = page.evaluate(
            "[...document.querySelectorAll('.gb [role=img], .gb [role=region], .gb input, .gb button')]"
            ".filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"
        )
        assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(browser: Browser, committed: str, scheme: str) -> None:
    """4.5:1 of every text against what is painted behind it."""
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    for path in ("index.html", "tasks/colonel-blotto.html", "entries/gpt-4o-mlgym.html"):
        page.goto(f"{committed}/{path}", wait_until="networkidle")
        assert page.evaluate(_CONTRAST) == [], path
    context.close()


_CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
  const spoken = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const poor = [];
  for (const e of document.querySelectorAll("main *, .md-tabs *, .md-footer *")) {
    if (e.closest("svg") || !spoken(e) || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), back = behind(e);
    let seen = parse(style.color)[3];
    if (style.opacity === "0" || seen === 0) continue;
    for (let p = e; p; p = p.parentElement) seen *= Number(getComputedStyle(p).opacity);
    const text = parse(style.color).slice(0, 3).map((v, i) => seen * v + (1 - seen) * back[i]);
    const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push([e.outerHTML.slice(0, 90), style.color, seen, back.join()]);
  }
  return poor;
}"""
