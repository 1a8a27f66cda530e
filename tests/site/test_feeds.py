"""The feeds say what the ledger says, in valid Atom, the same on every build."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scoring.ledger import read_ledger
from scoring.publish.feeds import ENTRIES, LEDGER, Feeds
from tests.site.conftest import SUBMISSIONS
from tests.site.fixture import HOSTILE, LINE, NAMES, ledger, row
from tests.site.pages import ADDRESS

ATOM = "{http://www.w3.org/2005/Atom}"
VISIBLE = HOSTILE.replace("\u202e", "\ufffd")


def _feed(site: Path, path: str) -> ET.Element:
    return ET.fromstring((site / path).read_bytes())


def _texts(feed: ET.Element, tag: str) -> list[str]:
    return [one.text or "" for one in feed.iter(f"{ATOM}{tag}")]


@pytest.mark.parametrize("path", [ENTRIES, LEDGER])
def test_a_feed_is_valid_atom(committed_site: Path, hostile_site: Path, path: str) -> None:
    """What RFC 4287 demands: one id, title and time each, unique ids, an author, a link of its own, absolute ids."""
    for site in (committed_site, hostile_site):
        feed = _feed(site, path)
        assert feed.tag == f"{ATOM}feed"
        parts = [feed, *feed.findall(f"{ATOM}entry")]
        assert len(parts) > 5
        for part in parts:
            for tag in ("id", "title", "updated"):
                assert len(part.findall(f"{ATOM}{tag}")) == 1, tag
            assert len(part.findall(f"{ATOM}link[@rel='alternate']")) == 1
            assert (part.findtext(f"{ATOM}title") or "").strip()
        ids = _texts(feed, "id")
        assert len(set(ids)) == len(ids)
        assert all(urlsplit(one).scheme in ("urn", "ni") for one in ids)
        times = [datetime.fromisoformat(one) for one in (*_texts(feed, "updated"), *_texts(feed, "published"))]
        assert all(one.tzinfo for one in times)
        assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Gymboard"
        assert [link.get("href") for link in feed.findall(f"{ATOM}link[@rel='self']")] == [f"{ADDRESS}{path}"]


@pytest.mark.parametrize("path", [ENTRIES, LEDGER])
def test_every_link_of_a_feed_leads_to_a_page_of_the_site(committed_site: Path, path: str) -> None:
    for link in _feed(committed_site, path).iter(f"{ATOM}link"):
        address = link.get("href", "")
        assert address.startswith(ADDRESS)
        target, _, anchor = address.removeprefix(ADDRESS).partition("#")
        assert (committed_site / target).is_file(), address
        ids = re.findall(r'\bid="?([\w.-]+)', (committed_site / target).read_text(encoding="utf-8"))
        assert not anchor or anchor in ids


def test_times_and_ids_are_the_ledgers(committed_site: Path) -> None:
    lines = read_ledger(SUBMISSIONS / "ledger.jsonl")
    feed = _feed(committed_site, LEDGER)
    assert _texts(feed, "updated") == [max(line.time for line in lines), *(line.time for line in reversed(lines))]
    new = _feed(committed_site, ENTRIES)
    included = {line.entry: line.time for line in lines if line.kind == "inclusion"}
    assert sorted(_texts(new, "published")) == sorted(included.values())
    last = {line.entry: line.time for line in lines}
    assert sorted(_texts(new, "updated")[1:]) == sorted(last[entry] for entry in included)


def test_an_id_stays_when_address_and_later_lines_change() -> None:
    shown = {f"entry-{number}": (row(number, "x"), 1.0) for number in range(len(NAMES))}
    early, late = (Feeds(ledger()[:many], shown, site, "2026-11-01") for many, site in ((3, ""), (7, ADDRESS)))
    for document in (Feeds._entries, Feeds._ledger):
        before, after = (_texts(ET.fromstring(document(one)), "id") for one in (early, late))
        assert before[0] == after[0]
        assert set(before) < set(after)


def test_an_entry_that_is_on_no_board_is_not_announced(hostile_site: Path) -> None:
    assert "gone" not in " ".join(link.get("href", "") for link in _feed(hostile_site, ENTRIES).iter(f"{ATOM}link"))
    assert "removal: gone" in _texts(_feed(hostile_site, LEDGER), "title")


def test_hostile_text_is_text_and_nothing_unseen_is_left(hostile_site: Path) -> None:
    for path in (ENTRIES, LEDGER):
        text = (hostile_site / path).read_text(encoding="utf-8")
        assert "<script" not in text
        assert not set(text) & set("\u202e\x00\x1b\x07\ufffe")
        assert VISIBLE in " ".join(_texts(_feed(hostile_site, path), "summary"))
    titles = _texts(_feed(hostile_site, ENTRIES), "title")
    assert max(map(len, titles)) <= 120
    assert any(LINE[:40] in title for title in titles)


def test_a_board_without_a_ledger_has_feeds_without_entries() -> None:
    for document in (Feeds._entries, Feeds._ledger):
        feed = ET.fromstring(document(Feeds((), {}, "", "2026-11-01")))
        assert _texts(feed, "updated") == ["2026-11-01T00:00:00Z"]
        assert [link.get("href", "")[:3] for link in feed.iter(f"{ATOM}link")] == ["../"]
