"""The ledger by pages: every line once, at an address that later lines do not move."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scoring.ledger import LedgerLine
from scoring.publish.build import site_sources
from scoring.publish.content import Content
from scoring.publish.ledger_pages import LINES, NEWEST, line_address, write_ledger
from scoring.publish.stamp import slot
from scoring.publish.templates import environment
from tests.site.fixture import leaderboard, ledger
from tests.site.pages import ADDRESS


def many(count: int) -> tuple[LedgerLine, ...]:
    return tuple(ledger()[0].model_copy(update={"sequence": number}) for number in range(count))


def content(count: int) -> Content:
    records = leaderboard().model_copy(update={"ledger": many(count)})
    return Content(records, {}, {}, environment(site_sources() / "site" / "templates"))


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r"<tr id=line-(\d+)", html)]


@pytest.mark.parametrize("count", [0, 1, LINES, LINES + 1, 3 * LINES])
def test_every_line_is_on_one_page_and_where_its_address_says(count: int) -> None:
    pages = {page["ledger-page"]: numbers(page["ledger-lines"]) for page in content(count).ledger_pages()}
    assert [number for page in pages.values() for number in page] == list(range(count))
    for line in many(count):
        page, _, anchor = line_address(line).removeprefix("ledger/").partition(".html#line-")
        assert int(anchor) in pages[page]


def test_a_line_stays_where_it_is_when_others_follow() -> None:
    before, after = (list(content(count).ledger_pages()) for count in (LINES + 3, 2 * LINES + 9))
    assert before[0] == after[0]
    assert set(numbers(before[1]["ledger-lines"])) < set(numbers(after[1]["ledger-lines"]))


def test_the_page_ledger_has_the_newest_first_and_links_to_all() -> None:
    html = content(2 * LINES + 9).ledger()["ledger"]
    newest = 2 * LINES + 8
    assert numbers(html) == list(range(newest, newest - NEWEST, -1))
    assert re.findall(r'href="ledger/(\d+)\.html"', html) == ["0", "1", "2"]
    assert "holds no line yet" in content(0).ledger()["ledger"]


def test_the_sitemap_names_the_pages_and_not_their_shell(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    page = " ".join([slot("ledger-range")] * 6 + [slot("ledger-lines"), f"{ADDRESS}ledger/{slot('ledger-page')}.html"])
    (tmp_path / "ledger" / f"{slot('ledger-page')}.html").write_text(page)
    where = f"<url><loc>{ADDRESS}ledger/{slot('ledger-page')}.html</loc></url>"
    (tmp_path / "sitemap.xml").write_text(f"<urlset>{where}</urlset>")
    write_ledger(tmp_path, content(LINES + 1).ledger_pages())
    assert sorted(path.name for path in (tmp_path / "ledger").iterdir()) == ["0.html", "1.html"]
    assert "slot--ledger" not in (tmp_path / "ledger" / "1.html").read_text()
    found = re.findall(r"<loc>(.*?)</loc>", (tmp_path / "sitemap.xml").read_text())
    assert found == [f"{ADDRESS}ledger/0.html", f"{ADDRESS}ledger/1.html"]
