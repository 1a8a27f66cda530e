"""The ranking in a real browser: what one sorts, finds, picks, links to, downloads, on 340 entries."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.site.browser import served
from tests.site.long import ENTRIES, LEADING, PARTIAL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
TABLE = "#ranking-table"
ROWS = f"{TABLE} tbody tr"
READY = "document.querySelector('[data-board]')?.dataset.ready !== undefined"
SHIFT = """() => new Promise(done => { let sum = 0;
  const watch = new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput)
    sum += e.value; });
  watch.observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 300); })"""


@pytest.fixture(scope="module")
def long(long_site: Path) -> Iterator[str]:
    with served(long_site) as address:
        yield f"{address}/index.html"


@contextmanager
def opened(
    browser: Browser, address: str, width: int = 1280, scheme: str = "light", scripts: bool = True
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle" if scripts else "load")
    if scripts:
        until(page, READY)
    yield page
    context.close()


def until(page: Page, expression: str) -> None:
    """Wait for it. The page's policy forbids what wait_for_function does."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(expression)


def column(page: Page, name: str) -> list[str]:
    return [text.strip() for text in page.locator(f"{ROWS} .k-{name}").all_inner_texts()]


def sort(page: Page, name: str) -> str:
    """Press the head of a column; gives the direction."""
    page.locator(f"{TABLE} [data-key='{name}']").click()
    return page.locator(f"{TABLE} th:has([data-key='{name}'])").get_attribute("aria-sort") or ""


def counts(page: Page, said: str) -> bool:
    """Whether the bar says so, at once or within a moment."""
    until(page, f"document.querySelector('.gb-filter output').textContent === {said!r}")
    return True


def numbers(texts: list[str]) -> list[float]:
    return [float(text.strip("$").split("/")[0]) for text in texts if text not in ("–", "N/A")]


@pytest.mark.parametrize("site", ["committed_site", "hostile_site", "long_site"])
def test_a_row_made_by_the_browser_is_the_row_of_the_page(
    browser: Browser, site: str, request: pytest.FixtureRequest
) -> None:
    said = f"[...document.querySelectorAll('{ROWS}')].map(row => row.outerHTML)"
    with served(request.getfixturevalue(site)) as address:
        with opened(browser, f"{address}/index.html", scripts=False) as page:
            static = page.locator(ROWS).evaluate_all("rows => rows.map(row => row.outerHTML)")
        with opened(browser, f"{address}/index.html") as page:
            page.evaluate(f"document.querySelectorAll('{ROWS}').forEach(row => row.dataset.still = '')")
            sort(page, "agent")
            until(page, f"document.querySelector('{ROWS}[data-still]') === null")
            assert sort(page, "rank") == "ascending"
            until(page, f"{said}.length > 1")
            made = page.evaluate(said)
    assert len(static) >= 5
    assert made[: len(static)] == static[: len(made)]


@pytest.mark.parametrize("name", ["aup", "best", "usd", "valid"])
def test_a_column_sorts_both_ways_with_the_unknown_last(browser: Browser, long: str, name: str) -> None:
    with opened(browser, long) as page:
        box = page.locator("[data-board]").first
        for _ in range(2):
            falls = sort(page, name) == "descending"
            until(
                page, f"document.querySelectorAll('{ROWS}').length > 24"
            )  # those out of sight come when there is time
            values = numbers(column(page, name))
            assert len(values) >= 20
            assert values == sorted(values, reverse=falls)
            box.evaluate("box => box.scrollTo(0, box.scrollHeight)")
            until(page, f"document.querySelector('{ROWS}:last-child').ariaRowIndex === '{ENTRIES + 2}'")
            assert column(page, name)[-1] in ("–", "N/A")
            box.evaluate("box => box.scrollTo(0, 0)")


def test_names_sort_as_text_and_ties_stay_in_the_order_of_ranks(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        sort(page, "agent")
        names = page.locator(f"{ROWS} .k-agent > a").all_inner_texts()
        assert names == sorted(names, key=str.lower)
        sort(page, "failure")
        low = [int(text.split("–")[0]) for text in column(page, "rank") if text != "–"]
        assert low == sorted(low)


def test_find_and_facets_say_how_many_are_left_and_dim_what_would_leave_none(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        assert counts(page, f"{ENTRIES} agents")
        page.get_by_label("Find in the ranking").fill("LABORATORY 3  model-03")
        assert counts(page, f"10 of {ENTRIES}")
        page.get_by_label("Find in the ranking").fill("")
        page.locator("select[name=level]").select_option("regraded")
        assert counts(page, f"{len(range(2, ENTRIES, 3))} of {ENTRIES}")
        assert set(page.locator(f"{ROWS} .gb-badge").all_inner_texts()) == {"regraded"}
        weights = page.locator("select[name=weights]").locator("option")
        dimmed = [weights.nth(place).get_attribute("value") for place in range(4) if weights.nth(place).is_disabled()]
        assert dimmed == ["true", "false"], "every third entry is regraded, and says nothing of its weights"
        assert page.locator("select[name=level]").locator("option[value='replayed']").is_disabled()
        assert not page.locator("select[name=level]").locator("option[value='signed']").is_disabled()
        page.locator("select[name=cost]").select_option("1")
        assert all(cost <= 1 for cost in numbers(column(page, "usd")))
        page.get_by_label("Find in the ranking").fill("nobody like this")
        assert counts(page, f"0 of {ENTRIES}")
        assert page.locator(ROWS).count() == 0
        page.get_by_role("button", name="Reset").click()
        assert counts(page, f"{ENTRIES} agents")
        assert page.locator("select[name=level]").input_value() == ""


def test_a_domain_keeps_who_beats_a_baseline_in_it(browser: Browser, committed_site: Path) -> None:
    with served(committed_site) as address, opened(browser, f"{address}/index.html") as page:
        page.locator("select[name=domain]").select_option("vision-language")
        assert counts(page, "1 of 5")
        assert "hardest: 1 of 5 entries beat the baseline" in page.locator(".gb-findings").inner_text()


def test_presets_show_their_columns_and_the_address_brings_them_back(browser: Browser, long: str) -> None:
    def heads(page: Page) -> list[str]:
        return [
            head.inner_text().replace("\n", " ").strip(" ▲▼")
            for head in page.locator(f"{TABLE} th[scope=col]").all()
            if head.is_visible()
        ]

    with opened(browser, long) as page:
        everything = heads(page)
        assert {"Rank", "Best attempt", "13 tasks", "Valid", "Main failure", "Steps", "Tokens", "Date", "Pick"} < set(
            everything
        )
        page.locator("select[name=cols]").select_option("effort")
        assert heads(page) == ["Rank", "Agent", "AUP", "$ / episode", "Steps", "Tokens", "Date", "Pick"]
        page.locator("select[name=cols]").select_option("trust")
        assert "$ / episode" not in heads(page) and "Main failure" in heads(page)
        assert parse_qs(urlsplit(page.url).query) == {"cols": ["trust"]}
    with opened(browser, f"{long}?cols=all", width=768) as page:
        assert heads(page) == everything
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "the box scrolls, not the page"


def test_the_address_holds_the_view_and_brings_it_back(browser: Browser, long: str) -> None:
    with opened(browser, f"{long}?budget=2.5") as page:
        page.get_by_label("Find in the ranking").fill("laboratory 1")
        page.locator("select[name=weights]").select_option("false")
        page.locator("select[name=cost]").select_option("10")
        sort(page, "tokens")
        address, rows, said = page.url, column(page, "agent"), page.locator(".gb-filter output").inner_text()
    query = parse_qs(urlsplit(address).query)
    assert query.pop("budget") == ["2.5"], "what others put there stays"
    assert query == {"find": ["laboratory 1"], "weights": ["false"], "cost": ["10"], "sort": ["-tokens"]}
    with opened(browser, address) as page:
        until(page, f"document.querySelector('.gb-filter output').textContent === '{said}'")
        assert len(rows) > 10 and column(page, "agent")[: len(rows)] == rows
        assert page.locator("select[name=weights]").input_value() == "false"
        assert page.locator(f"{TABLE} th[aria-sort='descending']").inner_text().startswith("Tokens")
        page.get_by_role("button", name="Reset").click()
        assert parse_qs(urlsplit(page.url).query) == {"budget": ["2.5"]}


@pytest.mark.parametrize(
    "query", ["level=admin&sort=-nothing", "sort=__proto__&cols=%3Cb%3E", "find=%F0%9F%92%A5&cost=-1"]
)
def test_an_address_that_means_nothing_does_no_harm(browser: Browser, long: str, query: str) -> None:
    faults: list[str] = []
    with opened(browser, long) as page:
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{long}?{query}", wait_until="networkidle")
        assert page.locator("select[name=level]").input_value() == ""
        assert page.locator(f"{TABLE} th[aria-sort]").count() == 1
        assert page.locator(".gb-filter output").inner_text() in (f"{ENTRIES} agents", f"0 of {ENTRIES}")
    assert faults == []


def test_the_download_holds_the_view_and_no_formula(browser: Browser, long: str) -> None:
    with opened(browser, f"{long}?find=model-00&sort=usd") as page:
        until(page, "document.querySelector('.gb-filter output').textContent.startsWith('10 of')")
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        shown = page.locator(f"{ROWS} .k-agent > a").all_inner_texts()
        assert download.value.suggested_filename == "gymboard.csv"
        text = Path(download.value.path()).read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["label"].lstrip("'") for line in lines] == shown
    assert "'=model-001" in [line["label"] for line in lines]
    first = next(line for line in lines if line["id"] == "many-002")
    assert (first["rank"], first["aup"], first["level"], first["usd"]) == ("2", "1.096", "regraded", "0.051")
    assert next(line for line in lines if line["id"] == "many-005")["usd"] == ""


def test_up_to_four_are_picked_and_stay_picked(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        for name in ("many-001", "many-002", "many-003", "many-004"):
            page.locator(f"{TABLE} input[value='{name}']").check()
        assert page.locator(f"{TABLE} input[value='many-005']").is_disabled()
        page.locator(f"{TABLE} input[value='many-002']").uncheck()
        page.get_by_label("Find in the ranking").fill("model-003")
        assert page.locator(f"{TABLE} input[value='many-003']").is_checked()
        go = page.get_by_role("link", name="Compare 3")
        assert go.get_attribute("href") == "compare.html?ids=many-001,many-003,many-004"


def test_a_long_board_keeps_few_rows_in_the_page_and_says_which(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        box = page.locator("[data-board]").first
        box.scroll_into_view_if_needed()
        page.evaluate("document.querySelector('[data-board]').scrollIntoView({block: 'end'})")
        assert page.locator(TABLE).get_attribute("aria-rowcount") == str(ENTRIES + 2)
        for share in (0, 0.37, 1):
            box.evaluate("(box, share) => box.scrollTo(0, share * box.scrollHeight)", share)
            page.wait_for_timeout(100)
            assert page.locator(ROWS).count() < 60
            assert page.locator("*").count() <= 2000
            place = page.evaluate(
                "(() => { const box = document.querySelector('[data-board]').getBoundingClientRect();"
                " const row = document.elementFromPoint(box.left + 20, box.bottom - 30).closest('tr');"
                " return [row.ariaRowIndex, row.cells[1].innerText]; })()"
            )
            assert int(place[0]) > share * ENTRIES * 0.9
        assert page.locator(ROWS).last.inner_text().startswith("–"), "the baseline is the last"


REST = "live.rest.json"
SEEN = f"[...document.querySelectorAll('{ROWS}')].map(row => row.cells[1].querySelector('a').textContent)"


def asked_for(page: Page, address: str) -> list[str]:
    """Names of the files of rows that were asked for, as they come; the page is opened anew."""
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.rsplit("/", 1)[1]) if "/boards/" in one.url else None)
    page.goto(address, wait_until="networkidle")
    until(page, "document.querySelector('[data-board]').dataset.drawn === ''")
    page.wait_for_timeout(50)
    return asked


def test_the_first_rows_come_alone_and_what_is_said_of_all_is_right(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        assert asked_for(page, long) == ["live.json"]
        assert counts(page, f"{ENTRIES} agents")
        assert page.locator(TABLE).get_attribute("aria-rowcount") == str(ENTRIES + 2)
        tall = "document.querySelector('[data-board]').scrollHeight"
        before, row = (
            page.evaluate(tall),
            page.locator(ROWS).first.evaluate("row => row.getBoundingClientRect().height"),
        )
        assert abs(before - (ENTRIES + 2) * row) < 3 * row, "what is missing has its room"
        page.locator("[data-board]").first.evaluate("box => box.scrollBy(0, 300)")
        page.wait_for_timeout(150)
        page.evaluate(SHIFT)
        with page.expect_response(f"**/{REST}"):
            page.locator(f"{TABLE} thead").hover(position={"x": 90, "y": 9})
        page.wait_for_timeout(50)
        assert page.evaluate(tall) == before
        assert page.evaluate(SHIFT) <= 0.01
        sort(page, "agent")
        until(page, f"document.querySelectorAll('{ROWS}').length > 20 && {SEEN}[0].startsWith('=model')")
        assert counts(page, f"{ENTRIES} agents")


@pytest.mark.parametrize("act", ["hover the bar", "focus the bar", "focus a head", "scroll far", "scroll to the end"])
def test_the_other_rows_come_with_the_first_sign_of_interest(browser: Browser, long: str, act: str) -> None:
    acts = {
        "hover the bar": lambda page: page.locator("select[name=level]").hover(),
        "focus the bar": lambda page: page.locator("select[name=level]").focus(),
        "focus a head": lambda page: page.locator(f"{TABLE} [data-key='usd']").focus(),
        "scroll far": lambda page: page.locator("[data-board]").first.evaluate(
            "(box, share) => box.scrollTo(0, share * box.scrollHeight)", 0.6 * LEADING / ENTRIES
        ),
        "scroll to the end": lambda page: page.locator("[data-board]").first.evaluate(
            "box => box.scrollTo(0, box.scrollHeight)"
        ),
    }
    with opened(browser, long) as page:
        assert asked_for(page, long) == ["live.json"]
        with page.expect_response(f"**/{REST}"):
            acts[act](page)
        if act == "scroll to the end":
            until(page, f"document.querySelector('{ROWS}:last-child')?.ariaRowIndex === '{ENTRIES + 2}'")
            assert page.locator(ROWS).last.inner_text().startswith("–"), "the baseline is the last"


def test_an_address_that_asks_for_more_than_the_first_rows_brings_both_files(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        asked = asked_for(page, f"{long}?find=model-339")
        assert sorted(asked) == ["live.json", REST]
        assert counts(page, f"1 of {ENTRIES}")
        assert page.evaluate(SEEN) == ["model-339"]


def test_other_rows_that_do_not_come_leave_the_first_and_the_table_says_so(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        page.route(f"**/{REST}", lambda route: route.fulfill(status=503))
        page.goto(long, wait_until="networkidle")
        sort(page, "aup")
        until(page, "document.querySelector('.gb-filter output').textContent.includes('503')")
        assert page.locator(ROWS).count() >= 20
        assert page.evaluate(SEEN)[0] == page.locator(f"{ROWS} .k-agent > a").first.inner_text()


def test_whoever_scrolls_an_unsorted_board_slowly_meets_every_row_once(browser: Browser, long: str) -> None:
    places = f"[...document.querySelectorAll('{ROWS}')].map(row => +row.ariaRowIndex)"
    with opened(browser, long) as page:
        until(page, "document.querySelector('[data-board]').dataset.drawn === ''")
        for down in (0, 300, 600, 900, 300):
            page.evaluate(f"document.querySelector('[data-board]').scrollTo(0, {down})")
            page.wait_for_timeout(100)
            shown = page.evaluate(places)
            assert shown == list(range(shown[0], shown[0] + len(shown)))


def test_the_keyboard_is_enough(browser: Browser, long: str) -> None:
    focused = "document.activeElement.closest('tr')?.ariaRowIndex"
    with opened(browser, long) as page:
        page.get_by_label("Find in the ranking").focus()
        page.keyboard.type("model")
        for _ in range(5):
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "cols"
        page.locator(f"{TABLE} [data-key='usd']").focus()
        page.keyboard.press("Enter")
        assert numbers(column(page, "usd"))[0] == min(numbers(column(page, "usd")))
        page.locator("[data-board]").first.focus()
        page.keyboard.press("End")
        until(page, f"document.querySelector('{ROWS}:last-child').ariaRowIndex > {ENTRIES - 5}")
        page.keyboard.press("Home")
        until(page, f"document.querySelector('{ROWS}').ariaRowIndex === '2'")
        page.locator(f"{ROWS} a").first.focus()
        for row in range(2, 60):  # far beyond the rows that were there at first: a link and a box in each
            assert page.evaluate(focused) == str(row)
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
            page.keyboard.press("Space")
            page.keyboard.press("Tab")


def test_without_scripts_fifty_rows_stand_and_no_bar_that_does_nothing(browser: Browser, long: str) -> None:
    with opened(browser, long, scripts=False) as page:
        assert page.locator(ROWS).count() == 50
        assert not page.locator(".gb-filter").is_visible()
        assert page.locator("main").inner_text().count(f"{ENTRIES + 1 - 50} more are in leaderboard.csv") == 1
        assert page.locator("*").count() <= 2000


def test_a_file_that_does_not_come_leaves_the_table_and_says_so(browser: Browser, long: str) -> None:
    with opened(browser, long) as page:
        page.route("**/assets/boards/*.json", lambda route: route.fulfill(status=503))
        page.goto(long, wait_until="networkidle")
        sort(page, "aup")
        until(page, "document.querySelector('.gb-filter output').textContent.includes('503')")
        assert page.locator(ROWS).count() == 50


def test_the_search_index_comes_when_somebody_searches(browser: Browser, long: str) -> None:
    asked: list[str] = []
    with opened(browser, long) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(long, wait_until="networkidle")
        assert not [url for url in asked if "search_index" in url]
        page.locator(".md-search__input").first.click()
        page.keyboard.type("house")
        page.locator(".md-search-result__link").first.wait_for()
        assert [url for url in asked if url.endswith("search_index.json")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_moves_and_nothing_is_wider_than_the_screen(
    browser: Browser, long: str, width: int, scheme: str
) -> None:
    with opened(browser, long, width, scheme) as page:
        assert page.evaluate(SHIFT) <= 0.01
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        box = page.locator("[data-board]").first
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
        if width >= 1280:
            charts = page.locator(".gb-charts").bounding_box()
            assert charts is not None and charts["height"] <= 300
            bar = page.locator(".gb-filter")
            page.evaluate(f"document.querySelector('{TABLE}').scrollIntoView()")
            page.mouse.wheel(0, 200)
            seen = bar.bounding_box()
            assert seen is not None and 0 <= seen["y"] < 100, "the bar stays in sight"
    assert ENTRIES % PARTIAL
