"""Shell and stamp: fills named slots of a page that mkdocs has built.

Takes HTML with slots, gives HTML without. What fills a slot is Markup from an autoescaping template, or text, which is
escaped here. Text of an entry reaches the site this way only: it never passes through Markdown, so it is never markup.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import escape

from harness.errors import GymboardError

_SLOT = re.compile(r"slot--([a-z][a-z0-9-]*)--slot")


def slot(name: str) -> str:
    """The mark of the slot `name`: plain letters, so that Markdown and templates let it pass unchanged."""
    return f"slot--{name}--slot"


_KEPT = re.compile(r"(<(script|style|pre|textarea)\b.*?</\2>)", re.S)
_SECTION = re.compile(
    r'<li class="md-nav__item[^"]*md-nav__item--nested">(?:(?!<li\b).)*?<nav class="md-nav" data-md-level="1"'
    r".*?</nav></li>"
)
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>')
_TITLE = re.compile(r'<span class="md-ellipsis">(.*?)</span>')


def spaced(html: str) -> str:
    """The page with one blank wherever the theme wrote many; text that keeps its blanks stays as it is."""
    return "".join(part if place % 3 else re.sub(r"\s+", " ", part) for place, part in _thirds(_KEPT.split(html)))


def squeezed(html: str) -> str:
    """A shell without blanks between tags, and with one link for each section of the navigation: both would be written
    again with every entry. Where the theme's navigation looks otherwise it stays whole."""
    pieces = (part if place % 3 else part.replace("> <", "><") for place, part in _thirds(_KEPT.split(spaced(html))))
    return _SECTION.sub(_one_link, "".join(pieces))


def _thirds(parts: list[str]) -> list[tuple[int, str]]:
    """Text, kept element, text, ...: without the name of the element that the pattern also gives."""
    return [(place % 3, part) for place, part in enumerate(parts) if place % 3 != 2]


def _one_link(section: re.Match[str]) -> str:
    link, title = _LINK.search(section[0]), _TITLE.search(section[0])
    if not link or not title:
        return section[0]
    return f'<li class="md-nav__item"><a href="{link[1]}" class="md-nav__link">{title[0]}</a></li>'


@dataclass(frozen=True)
class Shell:
    """A built page cut at its slots: `pieces` has one more member than `slots`."""

    pieces: tuple[str, ...]
    slots: tuple[str, ...]

    def stamp(self, values: Mapping[str, str]) -> str:
        """The page with every slot filled. Raises KeyError when a value is missing: `read_shell` has named them."""
        filled = [piece + str(escape(values[name])) for piece, name in zip(self.pieces, self.slots, strict=False)]
        return "".join([*filled, self.pieces[-1]])


def read_shell(html: str, expected: Mapping[str, int], subject: str) -> Shell:
    """Cut `html` at its slots. Raises GymboardError unless each occurs exactly as often as expected."""
    parts = _SLOT.split(html)
    found = Counter(parts[1::2])
    wrong = [
        f"slot {name!r} occurs {found[name]} times instead of {expected.get(name, 0)}"
        for name in sorted(found.keys() | expected.keys())
        if found[name] != expected.get(name, 0)
    ]
    if wrong:
        raise GymboardError(f"{subject}: {'; '.join(wrong)}. Did the theme or the page's template change?")
    return Shell(tuple(parts[0::2]), tuple(parts[1::2]))
