"""Atom feeds: new entries, and lines of the ledger.

Takes the ledger and the rows that have a page, gives two documents. An id is a digest (RFC 6920), so it is the same on
every build and every address; a time is the ledger's, never the clock's. Text of an entry is text here too.
"""

from __future__ import annotations

import base64
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scoring.leaderboard import Row
from scoring.ledger import START, LedgerLine
from scoring.publish.formats import number, visible
from scoring.publish.ledger_pages import line_address
from scoring.publish.series import short

ENTRIES, LEDGER = "feeds/entries.xml", "feeds/ledger.xml"
NEWEST = 100
"""Entries of a feed; the rest is on the site."""
_ATOM = "http://www.w3.org/2005/Atom"
_TITLE = 120


@dataclass(frozen=True)
class Feeds:
    """`shown`: id of an entry -> its row and the AUP that its page shows. `address`: of the site, or "" when unknown;
    then links are relative to the feed, which Atom allows. `day` dates a board without any line."""

    ledger: Sequence[LedgerLine]
    shown: Mapping[str, tuple[Row, float | None]]
    address: str
    day: str

    def write(self, built: Path) -> None:
        """Both feeds under `built`."""
        (built / "feeds").mkdir(exist_ok=True)
        (built / ENTRIES).write_bytes(self._entries())
        (built / LEDGER).write_bytes(self._ledger())

    def _entries(self) -> bytes:
        """One for each entry that has a page: when it was included, changed whenever the ledger spoke of it again."""
        lines = [(line.entry, line) for line in self.ledger if line.entry in self.shown]
        included = {entry: line for entry, line in lines if entry and line.kind == "inclusion"}
        last = dict(lines)
        feed = self._feed("Gymboard: new entries", ENTRIES, "index.html", [last[entry] for entry in included])
        newest = sorted(included.items(), key=lambda pair: pair[1].sequence, reverse=True)[:NEWEST]
        for name, line in newest:
            row, aup = self.shown[name]
            found = f"AUP {number(aup)}, " if aup is not None else ""
            entry = self._entry(feed, str(line.bundle_sha256), short(row.label, _TITLE), last[name].time)
            _add(entry, "published", line.time)
            self._link(entry, f"entries/{name}.html")
            _add(entry, "summary", visible(f"{found}level {row.level or 'none'}. {last[name].reason}"))
        return _bytes(feed)

    def _ledger(self) -> bytes:
        feed = self._feed("Gymboard: lines of the ledger", LEDGER, "ledger.html", self.ledger)
        for line in list(reversed(self.ledger))[:NEWEST]:
            entry = self._entry(feed, line.sha256, f"{line.kind}: {line.entry or line.key_fingerprint}", line.time)
            self._link(entry, line_address(line))
            _add(entry, "category", term=line.kind)
            _add(entry, "summary", visible(line.reason))
        return _bytes(feed)

    def _feed(self, title: str, path: str, page: str, lines: Sequence[LedgerLine]) -> ET.Element:
        first = self.ledger[0].sha256 if self.ledger else START
        feed = ET.Element("feed", xmlns=_ATOM)
        _add(feed, "id", uuid.uuid5(uuid.NAMESPACE_URL, f"{_name(first)}#{path}").urn)
        _add(feed, "title", title)
        _add(feed, "updated", max((line.time for line in lines), default=f"{self.day}T00:00:00Z"))
        _add(_add(feed, "author"), "name", "Gymboard")
        self._link(feed, page)
        if self.address:
            _add(feed, "link", rel="self", type="application/atom+xml", href=f"{self.address}{path}")
        return feed

    def _entry(self, feed: ET.Element, sha256: str, title: str, updated: str) -> ET.Element:
        entry = _add(feed, "entry")
        _add(entry, "id", _name(sha256))
        _add(entry, "title", title)
        _add(entry, "updated", updated)
        return entry

    def _link(self, parent: ET.Element, page: str) -> None:
        _add(parent, "link", rel="alternate", type="text/html", href=f"{self.address or '../'}{page}")


def _name(sha256: str) -> str:
    return f"ni:///sha-256;{base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')}"


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _bytes(feed: ET.Element) -> bytes:
    ET.indent(feed)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"
