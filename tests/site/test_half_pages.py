"""A page whose second half is late: what the first half shows stays where it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.site.browser import Quiet, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
CUT = b'data-key="strip"'
PLACES = """() => performance.getEntriesByType('paint').length === 0 ? [] :
  [...document.querySelectorAll('#ranking-table thead th')].map(th => { const box = th.getBoundingClientRect();
    return [th.className, box.left, box.width]; })"""


@contextmanager
def halved(site: Path, rest: threading.Event) -> Iterator[str]:
    """The address of a home page that goes on after CUT only when `rest` is set."""

    class Half(Quiet):
        def copyfile(self, source: Any, outputfile: Any) -> None:
            first, *cut = source.read().partition(CUT) if self.path == "/index.html" else (source.read(),)
            outputfile.write(first)
            outputfile.flush()
            assert not cut or rest.wait(60)
            outputfile.write(b"".join(cut))

    with served(site, Half) as address:
        try:
            yield f"{address}/index.html"
        finally:
            rest.set()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_columns_of_the_ranking_stay_where_half_its_head_showed_them(
    browser: Browser, committed_site: Path, width: int
) -> None:
    rest = threading.Event()
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    with halved(committed_site, rest) as address:
        page.goto(address, wait_until="commit")
        for _ in range(200):
            early = page.evaluate(PLACES)
            if early and early[-1][0] == "k-strip":
                break
            page.wait_for_timeout(50)
        assert [name for name, *_ in early] == ["k-rank", "k-agent", "k-aup", "k-best", "k-usd", "k-strip"]
        rest.set()
        page.wait_for_load_state("networkidle")
        late = page.evaluate(PLACES)
    page.context.close()
    assert len(late) > len(early)
    assert late[: len(early)] == early
