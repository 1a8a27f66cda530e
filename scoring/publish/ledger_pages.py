"""The ledger page by page: 250 lines each, in the order in which they were written, at addresses that stay theirs.

Takes a built folder with the shell of these pages and their slots, leaves ledger/0.html, ledger/1.html and so on; the
shell is gone. The page Ledger shows the newest lines and links to these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from scoring.ledger import LedgerLine
from scoring.publish.sitemap import extend_sitemap
from scoring.publish.stamp import read_shell, slot, squeezed

LINES = 250
NEWEST = 100
"""Lines that the page Ledger itself shows."""
SHELL = f"ledger/{slot('ledger-page')}.html"


def line_address(line: LedgerLine) -> str:
    """Of a line, from the root of the site."""
    return f"ledger/{line.sequence // LINES}.html#line-{line.sequence}"


def line_ranges(many: int) -> list[str]:
    """What each page holds, of so many lines: `0 to 249`."""
    return [f"{first:,} to {min(first + LINES, many) - 1:,}" for first in range(0, many, LINES)]


def write_ledger(built: Path, pages: Iterable[Mapping[str, str]]) -> None:
    """One page for each member of `pages`. Raises GymboardError when the shell has not the slots that it must have."""
    path = built / SHELL
    html = squeezed(path.read_text(encoding="utf-8"))
    perhaps = {"ledger-page": many} if (many := html.count(slot("ledger-page"))) else {}
    shell = read_shell(html, {"ledger-range": 6, "ledger-lines": 1, **perhaps}, SHELL)
    names = []
    for values in pages:
        names.append(values["ledger-page"])
        (path.parent / f"{names[-1]}.html").write_text(shell.stamp(values), encoding="utf-8")
    path.unlink()
    extend_sitemap(built, slot("ledger-page"), names)
