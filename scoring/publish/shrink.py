"""Our own scripts, styles and pages as a browser gets them: without comments, needless blanks and long local names.

Takes a built site, rewrites assets/*.js, assets/*.css and the pages in it; takes away what the theme brings and no page
asks for: maps of its sources, stemmers of languages that no page is in. The same text gives the same bytes. Never
rewrites scripts or styles that the theme or another project wrote (assets/javascripts, assets/js/vendor).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from scoring.publish.stamp import spaced

OWN = {"assets/*.js": "text/javascript", "assets/*.css": "text/css"}


def shrink(built: Path) -> None:
    """In place."""
    for path in (built / "assets").rglob("*.map"):
        path.unlink()
    for path in built.rglob("*.html"):
        path.write_text(spaced(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(built / "assets" / "javascripts" / "lunr", ignore_errors=True)
    for pattern, kind in OWN.items():
        for path in sorted(built.glob(pattern)):
            path.write_text(shrunk(kind, path.read_text(encoding="utf-8")), encoding="utf-8")


def shrunk(kind: str, text: str) -> str:
    """The text of one file of the media type `kind`."""
    import minify  # its library takes 40 ms to load

    return str(minify.string(kind, text))
