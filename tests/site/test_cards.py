"""Cards are drawn from the data, say what fits, and never what an entry wants drawn."""

from __future__ import annotations

import struct
import unicodedata
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest

from scoring.publish.announce import own_cards
from scoring.publish.build import site_sources
from scoring.publish.cards import board_card, entry_card, fitted, task_card, wrapped
from scoring.publish.content import Content
from scoring.publish.png import smaller
from scoring.publish.templates import environment
from tests.site.fixture import ENDLESS, HOSTILE, board, leaderboard, row
from tests.site.pages import ADDRESS, COMMITTED

FOOT = "data of 2026-11-01"


def _drawing(card: object) -> ET.Element:
    env = environment(site_sources() / "site" / "templates")
    return ET.fromstring(env.get_template("card.svg").render(card=card))


def _size(png: Path) -> tuple[int, int]:
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def test_every_page_names_a_card_that_is_there(committed_site: Path) -> None:
    for path in COMMITTED.values():
        html = (committed_site / path).read_text(encoding="utf-8")
        named = html.count('property="og:image" content="')
        assert named == (path != "404.html"), path
        if named:
            card = html.split('property="og:image" content="')[1].split('"')[0]
            assert _size(committed_site / card.removeprefix(ADDRESS)) == (1200, 630)
    entry = (committed_site / "entries/gpt-4o-mlgym.html").read_text(encoding="utf-8")
    assert f"{ADDRESS}cards/entry-gpt-4o-mlgym.png" in entry
    task = (committed_site / "tasks/three-sat.html").read_text(encoding="utf-8")
    assert f"{ADDRESS}cards/task-three-sat.png" in task
    assert max(card.stat().st_size for card in (committed_site / "cards").iterdir()) < 100_000


def test_a_preview_has_no_card_of_its_own(hostile_site: Path) -> None:
    page = (hostile_site / "entries/entry-5.preview.html").read_text(encoding="utf-8")
    assert f"{ADDRESS}cards/board.png" in page
    assert not list((hostile_site / "cards").glob("*preview*"))


@pytest.mark.parametrize("name", [HOSTILE, ENDLESS, "x", "漢" * 90])
def test_every_text_of_a_card_fits_whatever_an_entry_is_called(name: str) -> None:
    rows = tuple(row(number, name) for number in range(5))
    one = board(rows)
    task = one.tasks[0]
    cards = [
        board_card(one, FOOT),
        task_card(one, task, task.title, name, FOOT),
        task_card(None, None, "A task", name, FOOT),
        entry_card(one, rows[0], FOOT),
    ]
    for card in cards:
        drawing = _drawing(card)
        assert {part.tag.rpartition("}")[2] for part in drawing.iter()} <= {"svg", "rect", "text", "tspan"}
        for part in drawing.iter("{http://www.w3.org/2000/svg}text"):
            text, size = "".join(part.itertext()), int(part.get("font-size", ""))
            wide = sum(size * (1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56) for c in text)
            assert float(part.get("x", "")) + wide <= 1200, text
            assert 0 < float(part.get("y", "")) < 630
            assert text.isprintable()
        lows = [float(part.get("y", "")) + float(part.get("height", "")) for part in drawing if part.get("rx")]
        assert all(low < 580 for low in lows), "bars end above the last line"


def test_cutting() -> None:
    assert fitted("short", 20) == "short"
    assert fitted("a" * 200, 20, 100) == "aaaaaaa…"
    assert wrapped("one two three", 54, 2) == ["one two three"]
    assert len(wrapped("word " * 200, 28, 2)) == 2
    assert wrapped("word " * 200, 28, 2)[1].endswith("…")
    assert wrapped("", 28, 2) == []


def test_packing_changes_no_pixel_and_makes_it_smaller() -> None:
    import vl_convert

    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="90"><text y="40" font-size="40">Aq</text></svg>'
    )
    plain = vl_convert.svg_to_png(drawing, scale=1)
    small = smaller(plain)
    assert len(small) < len(plain)
    assert _pixels(small) == _pixels(plain)


def _pixels(png: bytes) -> bytes:
    data, place = b"", 8
    while place < len(png):
        (size,) = struct.unpack_from(">I", png, place)
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert struct.unpack_from(">I", png, place + 8 + size) == (zlib.crc32(kind + body),)
        data, place = data + (body if kind == b"IDAT" else b""), place + size + 12
    return zlib.decompress(data)


def test_only_leading_entries_have_a_card_of_their_own() -> None:
    rows = tuple(row(0, "agent").model_copy(update={"id": f"entry-{number}"}) for number in range(30))
    many = leaderboard().model_copy(update={"boards": (board(rows),)})
    content = Content(many, {}, {}, environment(site_sources() / "site" / "templates"))
    cards = own_cards(content)
    assert len(cards) == 20
    assert cards["entry-0"] == "entry-entry-0"
    assert "entry-29" not in cards
