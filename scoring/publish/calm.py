"""What the theme does that makes a browser compute every style of a page again while it loads, taken out of it.

Takes a built site and rewrites two places of the theme's files: the rule that holds all transitions while the colour
scheme is put in place, and the tag `color-scheme` that its script adds and changes (site/overrides has a lasting one).
Each made a browser go over all elements of a page. Never changes anything else there; a theme that is not as it was is
refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import GymboardError

_PLACES = (
    ("stylesheets/palette.*.css", re.compile(r"\[data-md-color-switching\] \*[^{}]*\{[^{}]*\}"), ""),
    ("javascripts/bundle.*.js", re.compile(r'\{name:"color-scheme"\}'), "{}"),
)


def calm(built: Path) -> None:
    """In place. Raises GymboardError where one of the places is not in its file."""
    for pattern, place, instead in _PLACES:
        for file in (built / "assets").glob(pattern):
            text, found = place.subn(instead, file.read_text(encoding="utf-8"))
            if found != 1:
                raise GymboardError(f"{file.name}: {place.pattern} is there {found} times. Did the theme change?")
            file.write_text(text, encoding="utf-8")
