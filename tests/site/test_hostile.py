"""Whatever an entry, an audit note or a preview says is text on every page, never markup and never a template."""

from __future__ import annotations

import csv
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scoring.publish.preview import build_from
from tests.site.conftest import SUBMISSIONS
from tests.site.fixture import ENDLESS, HOSTILE, LINE, leaderboard

VISIBLE = HOSTILE.replace("\u202e", "\ufffd")
EVENTS = ("onmouseover", "onerror", "onload", "onclick")


class _Reader(HTMLParser):
    """Text, scripts and links as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_the_hostile_text_is_shown_where_it_was_said(hostile_site: Path) -> None:
    """Without this, a field that is dropped would look like one that is escaped."""
    entry = "".join(_Reader((hostile_site / "entries/entry-3.html").read_text(encoding="utf-8")).text)
    assert entry.count(VISIBLE) >= 4  # title, audit finding, its evidence, exit detail
    assert entry.count(LINE) >= 7  # agent, version, model, organization, citation, declares, hardware
    assert "A word of the agent's own, which Gymboard does not know." in entry
    for page in ("index.html", "published.html", "ledger.html", "tasks/colonel-blotto.html"):
        text = "".join(_Reader((hostile_site / page).read_text(encoding="utf-8")).text)
        assert VISIBLE in text, page
    preview = "".join(_Reader((hostile_site / "entries/entry-5.preview.html").read_text(encoding="utf-8")).text)
    assert VISIBLE in preview


def test_no_page_gains_a_script_a_handler_or_a_dangerous_link(committed_site: Path, hostile_site: Path) -> None:
    samples = {"entries": "entries/gpt-4o-mlgym.html"}
    for page in _pages(hostile_site):
        sample = samples.get(page.parent.name, "index.html")
        usual = _Reader((committed_site / sample).read_text(encoding="utf-8")).scripts
        read = _Reader(page.read_text(encoding="utf-8"))
        assert read.scripts <= usual, page.name
        for tag, name, value in read.attributes:
            assert not name.startswith(EVENTS), (page.name, tag, name)
            assert not value.strip().lower().startswith(("javascript:", "data:text")), (page.name, tag, value)


def test_direction_marks_never_reach_a_page(hostile_site: Path) -> None:
    for page in _pages(hostile_site):
        assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068") & set(page.read_text(encoding="utf-8")), page.name


def test_templates_and_markdown_in_the_text_are_not_run(hostile_site: Path) -> None:
    for page in _pages(hostile_site):
        html = page.read_text(encoding="utf-8")
        assert "<b>b</b>" not in html, page.name
        assert "<strong>b</strong>" not in html, page.name
        assert html.count("{{ 7*7 }}") == html.count("7*7"), page.name


def test_a_slot_that_an_entry_wrote_stays_text(hostile_site: Path) -> None:
    html = (hostile_site / "entries/entry-3.html").read_text(encoding="utf-8")
    assert html.count("class=gb-figures>") == 1


def test_what_a_program_reads_is_sound_json(hostile_site: Path) -> None:
    files = [*hostile_site.rglob("*.json")]
    assert hostile_site / "assets/boards/live.json" in files
    for file in files:
        json.loads(file.read_text(encoding="utf-8"))
    record = gzip.decompress((hostile_site / "data/leaderboard.json.gz").read_bytes())
    whole = json.loads(leaderboard(preview=True).canonical())
    for part in (whole, *whole["boards"]):
        for name in ("flags", "curves", "pareto"):
            part.pop(name, None)
        for row in part.get("rows", ()):
            del row["cells"]
            for standing in row["standings"].values():
                del standing["by_domain"]
    del whole["ledger"]
    assert json.loads(record) == whole, "all but what the tables have"
    for page in _pages(hostile_site):
        inside = re.findall(r"<script[^>]*application/json[^>]*>(.*?)</script>", page.read_text(encoding="utf-8"), re.S)
        assert all(isinstance(json.loads(text), dict | list) for text in inside), page.name


def test_a_name_of_ten_thousand_characters_is_refused_and_the_refusal_is_short(tmp_path: Path) -> None:
    folder = tmp_path / "submissions" / "endless"
    folder.mkdir(parents=True)
    tree = json.loads((SUBMISSIONS / "gpt-4o-mlgym" / "bundle.json").read_text(encoding="utf-8"))
    tree["entry"] |= {"id": "endless", "agent": ENDLESS, "model_label": f"<script>alert(1)</script>{ENDLESS}"}
    (folder / "bundle.json").write_text(json.dumps(tree), encoding="utf-8")
    page = build_from(tmp_path / "submissions", tmp_path / "site", None)
    ledger = (page.parent / "ledger.html").read_text(encoding="utf-8")
    told = ledger.split('id="rejections"')[1].split("</ul>")[0]
    assert "entry.agent" in told and "<script" not in told
    assert len(told) < 2000
    assert "W" * 200 not in page.read_text(encoding="utf-8")


def test_no_search_index_holds_what_an_entry_said(hostile_site: Path) -> None:
    assert "alert(1)" not in (hostile_site / "search/search_index.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_a_spreadsheet_runs_no_cell(text: str, tmp_path: Path) -> None:
    from scoring.publish.downloads import write_downloads
    from tests.site.fixture import board, row
    from tests.site.fixture import leaderboard as make

    rows = (row(0, "x").model_copy(update={"label": text}),)
    write_downloads(make().model_copy(update={"boards": (board(rows),)}), tmp_path)
    with (tmp_path / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        assert {line["label"] for line in csv.DictReader(file)} == {f"'{text}"}
