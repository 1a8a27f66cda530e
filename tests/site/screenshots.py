"""Photographs of a built site, in three widths and two schemes and on paper:
`python tests/site/screenshots.py SITE OUT [PAGE ...]`.

Takes a folder that `gymboard site build` wrote, writes PNG files; `--home FILE` writes the README's picture alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.site.browser import chromium, served
from tests.site.pages import COMMITTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
HEIGHTS = {1280: 1080, 768: 1024, 360: 740}
PAPER = 680
"""Pixels between the margins of A4."""


def photograph(browser: Browser, address: str, out: Path, width: int, scheme: Scheme, full: bool) -> None:
    """One page in one width and scheme."""
    size = {"width": width, "height": HEIGHTS[width]}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    tab = context.new_page()
    tab.goto(address, wait_until="networkidle")
    tab.screenshot(path=out, full_page=full)
    context.close()
    print(out)


def printed(browser: Browser, address: str, out: Path) -> None:
    """One page as a printer gets it, from a dark screen."""
    context = browser.new_context(viewport={"width": PAPER, "height": 960}, color_scheme="dark")
    tab = context.new_page()
    tab.goto(address, wait_until="networkidle")
    tab.emulate_media(media="print", color_scheme="dark")
    tab.screenshot(path=out, full_page=True)
    context.close()
    print(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path("build/screenshots"))
    parser.add_argument("pages", nargs="*", default=list(COMMITTED.values()))
    parser.add_argument("--widths", type=int, nargs="+", default=list(HEIGHTS), choices=list(HEIGHTS))
    parser.add_argument("--fold", action="store_true", help="only what is seen before scrolling")
    parser.add_argument("--home", type=Path, help="the README's picture, instead of all the others")
    words = parser.parse_args()
    with chromium() as browser, served(words.site) as address:
        if words.home:
            return photograph(browser, f"{address}/index.html", words.home, 1280, "light", full=False)
        words.out.mkdir(parents=True, exist_ok=True)
        for page in words.pages:
            name = page.removesuffix(".html").replace("/", "-")
            for width in words.widths:
                for scheme in SCHEMES:
                    out = words.out / f"{name}-{width}-{scheme}.png"
                    photograph(browser, f"{address}/{page}", out, width, scheme, not words.fold)
            printed(browser, f"{address}/{page}", words.out / f"{name}-paper.png")
    return None


if __name__ == "__main__":
    main()
