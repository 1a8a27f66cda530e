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
