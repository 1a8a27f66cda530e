"""Compare, What if and the charts in a real browser: what a reader asks, by mouse, keyboard and address."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from scoring.leaderboard import ParetoPoint
from scoring.publish.drawings import pareto_chart
from scoring.publish.explore import readout
from scoring.publish.scores import KEY, LEADING, board_tree, key, placed, write_scores
from tests.site.fixture import board, row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
FOUR = ("openai-o1-preview-mlgym", "gemini-1-5-pro-mlgym", "claude-3-5-sonnet-mlgym", "gpt-4o-mlgym")


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280, **how: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, **how)
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda request: request.url.startswith((address[:21], "data:")) or faults.append(request.url))
    go(page, address)
    yield page
    context.close()
    assert faults == []


def go(page: Page, address: str) -> None:
    """Open it and wait until a form of ours has answered; without JavaScript nothing will."""
    page.goto(address, wait_until="load")
    if not page.locator("noscript:visible").count() and page.locator("form.gb-form").count():
        until(page, "document.querySelector('.gb-form output').textContent")


def until(page: Page, expression: str, seconds: float = 30) -> None:
    """Wait for it to be true. The site's policy forbids what Playwright's own waiting does."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def figures(page: Page, column: int) -> list[str]:
    return page.locator(f"#gb-what-if tbody.gb-result tr > *:nth-child({column})").all_inner_texts()


def test_compare_shows_the_leaders_to_whoever_names_nobody(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/compare.html") as page:
        assert page.locator(".gb-compared thead th").count() == 3
        assert re.search(
            "cannot be told apart|is ahead of|is behind of", page.locator("#gb-compare output").inner_text()
        )
        assert page.url.endswith(f"?ids={FOUR[0]},{FOUR[1]}")


def test_four_agents_fit_a_readable_address_that_opens_the_same_page(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/compare.html?ids={','.join(FOUR)}&col=best") as page:
        query = page.url.partition("?")[2]
        assert query == f"ids={','.join(FOUR)}&col=best"
        assert len(query) <= 200
        shown = page.locator(".gb-compared").inner_text()
        assert page.locator(".gb-compared thead th").count() == 5
        assert page.locator(".gb-profiles path").count() == 4
        go(page, page.url)
        assert page.locator(".gb-compared").inner_text() == shown


def test_wins_ties_and_losses_are_all_the_tasks_and_differences_add_up(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/compare.html?ids={FOUR[0]},{FOUR[3]}") as page:
        lines = page.locator(".gb-compared tbody tr")
        counts = lines.nth(2).locator("td").nth(1).inner_text().split(" / ")
        assert sum(map(int, counts)) == 13
        total = float(lines.nth(1).locator("small").inner_text().replace("−", "-"))
        gaps = [float(text.replace("−", "-")) for text in page.locator(".gb-compared td span > b").all_inner_texts()]
        assert len(gaps) == 13
        assert sum(gaps) == pytest.approx(total, abs=0.001)


def test_an_agent_is_added_by_keyboard_alone(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/compare.html") as page:
        page.get_by_label("Agent 2").focus()
        page.keyboard.press("Tab")
        page.keyboard.type("GPT-4o")
        page.keyboard.press("Tab")
        until(page, "document.querySelectorAll('.gb-compared thead th').length === 4")
        assert "gpt-4o-mlgym" in page.url
        page.get_by_label("Agent 1").fill("")
        page.keyboard.press("Tab")
        until(page, "document.querySelectorAll('.gb-compared thead th').length === 3")


@pytest.mark.parametrize(
    ("ids", "said", "columns"),
    [
        (f"{FOUR[0]},gone-for-good", "gone-for-good” is not on the board", 0),
        (f"{FOUR[0]},gone,{FOUR[1]}", "gone” is not on the board", 3),
        ("%3Cimg src=x onerror=alert(1)%3E," + FOUR[0], "is not on the board", 0),
        (f"{FOUR[0]},reference-tuner", "has no AUP to compare|is on another board", 0),
        (f"{FOUR[0]},{FOUR[0]}", "Name two agents", 0),
    ],
)
def test_an_address_with_removed_or_foreign_agents_says_so(
    browser: Browser, committed: str, ids: str, said: str, columns: int
) -> None:
    with opened(browser, f"{committed}/compare.html?ids={ids}") as page:
        assert re.search(said, page.locator("#gb-compare output").inner_text())
        assert page.locator(".gb-compared thead th").count() == columns


@pytest.mark.parametrize("path", ["compare.html", "what-if.html"])
def test_without_javascript_the_page_says_what_it_needs(browser: Browser, committed: str, path: str) -> None:
    with opened(browser, f"{committed}/{path}", java_script_enabled=False) as page:
        assert "needs JavaScript" in page.locator("main").inner_text()
        assert not page.locator("form.gb-form").is_visible()
        if path == "compare.html":
            assert page.locator("main a[href^='entries/']").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen(browser: Browser, committed: str, scheme: Any) -> None:
    with opened(browser, f"{committed}/published.html", color_scheme=scheme) as page:
        for path in (f"compare.html?ids={','.join(FOUR)}", "what-if.html?drop=mnli", "published.html"):
            go(page, f"{committed}/{path}")
            for width in (360, 768, 1280, 1920):
                page.set_viewport_size({"width": width, "height": 900})
                until(page, "document.documentElement.scrollWidth <= window.innerWidth", seconds=5)


def test_leaving_tasks_out_moves_aup_and_the_address_keeps_it(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/what-if.html") as page:
        before = figures(page, 4)
        assert figures(page, 1) == figures(page, 2)
        page.get_by_role("checkbox", name="Colonel Blotto").press("Space")
        page.get_by_label("tau_max").first.fill("0.8")
        after = figures(page, 4)
        assert after != before
        assert figures(page, 1) != figures(page, 2), "without Blotto others lead"
        assert page.url.endswith("?drop=colonel-blotto&tau=0.8")
        go(page, page.url)
        assert figures(page, 4) == after
        page.get_by_role("button", name="As on the board").press("Enter")
        until(page, "location.search.length < 2")
        assert figures(page, 4) == before


def test_a_price_moves_a_cost_and_nothing_else(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/what-if.html") as page:
        costs, aups = figures(page, 6), figures(page, 4)
        page.get_by_text("Prices, USD per million tokens").first.click()
        for kind in ("input", "output"):
            page.get_by_label(f"gpt-4o, {kind}", exact=True).fill("0")
        at = figures(page, 3).index("GPT-4o")
        assert figures(page, 6)[at] == "$0.00" != costs[at]
        assert figures(page, 4) == aups
        go(page, page.url)
        assert figures(page, 6)[at] == "$0.00"


@pytest.mark.parametrize("query", ["tau=-1&level=king&drop=nothing", "tau=1e9", "board=x&price=y&col=z"])
def test_a_senseless_address_never_breaks_what_if(browser: Browser, committed: str, query: str) -> None:
    with opened(browser, f"{committed}/what-if.html?{query}") as page:
        said = page.locator("#gb-what-if output").inner_text()
        assert "leads" in said or "out of its range" in said


def test_no_task_left_is_said(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/what-if.html") as page:
        for box in page.locator("[data-of]:not([hidden]) input[name=drop]").all():
            box.check()
        assert "One task at least" in page.locator("#gb-what-if output").inner_text()
        assert figures(page, 1) == []


def test_hostile_names_stay_text(browser: Browser, hostile: str) -> None:
    with opened(browser, f"{hostile}/compare.html?ids=entry-0,entry-3") as page:
        assert "<script>alert(1)</script>" in page.locator(".gb-compared thead").inner_text()
        assert page.locator(".gb-compared script").count() == 0
    with opened(browser, f"{hostile}/what-if.html") as page:
        assert any("<script>" in text for text in figures(page, 3))


def test_sliders_answer_from_the_frontier_and_the_address(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/published.html?budget=1&aup=1.15") as page:
        box = page.locator(".gb-readout").first
        frontier = json.loads(box.get_attribute("data-frontier") or "")
        answers = box.locator("output").all_inner_texts()
        affordable = [label for label, cost, _, _ in frontier if cost <= 1]
        assert affordable[-1] in answers[0]
        assert next(label for label, _, aup, _ in frontier if aup >= 1.15) in answers[1]
        assert page.locator(".gb-chart svg .gb-budget").count() == 2, "marked in the wide and in the narrow drawing"
        box.locator("input[name=budget]").focus()
        for _ in range(300):
            page.keyboard.press("ArrowRight")
        assert frontier[-1][0] in box.locator("output").first.inner_text()
        assert float(re.search(r"budget=([\d.]+)", page.url)[1]) >= frontier[-1][1]  # type: ignore[index]
        for _ in range(600):
            page.keyboard.press("ArrowLeft")
        assert "nobody" in box.locator("output").first.inner_text()


def test_a_marked_point_is_the_one_that_is_named() -> None:
    """Places in the last group of points, also beside a grey crowd: dearer is further right."""
    rows = [row(n % 4, "Agent").model_copy(update={"id": f"entry-{n}"}) for n in range(30)]
    points = [
        ParetoPoint(row=r.id, column="last", cost_usd=0.1 * (1 + n * 7 % 30), aup=1 - 0.01 * n, frontier=n % 5 == 0)
        for n, r in enumerate(rows)
    ]
    shown = board(tuple(rows), pareto=tuple(points))
    told = readout(shown)
    assert told
    drawing = ElementTree.fromstring(pareto_chart(shown, 600)())
    groups = [node for node in drawing.iter() if "mark-symbol" in node.get("class", "")]
    spots = [
        float(re.search(r"translate\(([\d.]+)", groups[-1][place].get("transform", ""))[1])  # type: ignore[index]
        for _, _, _, place in json.loads(told.frontier)
    ]
    assert spots == sorted(spots)
    assert len(set(spots)) == 6


def test_vega_is_asked_for_only_by_whoever_explores(browser: Browser, committed: str) -> None:
    with opened(browser, f"{committed}/published.html") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        assert page.locator(".gb-alive svg").count() == 0
        page.get_by_text("Explore this chart").first.press("Enter")
        page.wait_for_selector(".gb-alive svg .mark-symbol path", timeout=60_000)
        assert [url.rsplit("/", 1)[1] for url in asked] == ["vega.js", "pareto-published.json"]
        assert page.locator(".gb-chart-wide svg").first.is_visible(), "the picture stays"


def test_scores_beyond_the_leading_ones_lie_in_files_of_their_own(tmp_path: Path) -> None:
    rows = [row(n % 4, "Agent").model_copy(update={"id": f"entry-{n}"}) for n in range(LEADING + 3)]
    long = rows[-1].model_copy(update={"id": "a" * 64})
    write_scores([board((*rows[:-1], long))], tmp_path)
    [tree] = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["boards"]
    assert (len(tree["rows"]), tree["total"]) == (LEADING, LEADING + 3)
    names = {path.stem for path in (tmp_path / "scores").iterdir()}
    assert names == {f"entry-{LEADING}", f"entry-{LEADING + 1}", long.id, key(long.id)}
    packed = (tmp_path / "scores" / f"{key(long.id)}.gzip").read_bytes()
    assert json.loads(gzip.decompress(packed))["row"]["id"] == long.id


def test_four_keys_of_the_longest_ids_fit_an_address() -> None:
    keys = [key(letter * 64) for letter in "abcd"]
    assert len(set(keys)) == 4
    assert len(f"ids={','.join(keys)}&col=best") <= 200
    assert len(keys[0]) == KEY


def test_a_board_without_scores_has_pages_that_say_so(hostile_site: Path) -> None:
    assert placed(board(())) == []
    assert board_tree(board(()), [])["rows"] == []
