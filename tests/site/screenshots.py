"""Photographs of a built site, in three widths and two schemes: `python tests/site/screenshots.py SITE OUT [PAGE ...]`.

Takes a folder that `gymboard site build` wrote, writes PNG files. Drives the system's chromium through playwright.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {1280: 900, 768: 1024, 360: 740}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the list of pictures is the output."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address on loopback: the theme hides its search on file: addresses."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def photograph(browser: Browser, page: str, out: Path, width: int, scheme: str, full: bool) -> None:
    """One page in one width and scheme."""
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
    tab = context.new_page()
    tab.goto(page, wait_until="load")
    tab.add_style_tag(content="*, *::before, *::after { transition: none !important; animation: none !important }")
    tab.wait_for_timeout(200)  # the theme moves its tabs into place with a delay
    tab.screenshot(path=out, full_page=full)
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("pages", nargs="*", default=["index.html"])
    parser.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS))
    parser.add_argument("--fold", action="store_true", help="only what is seen before scrolling")
    words = parser.parse_args()
    words.out.mkdir(parents=True, exist_ok=True)
    with served(words.site) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for page in words.pages:
            for width in words.widths:
                for scheme in ("light", "dark"):
                    name = f"{page.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png"
                    photograph(browser, f"{address}/{page}", words.out / name, width, scheme, not words.fold)
                    print(words.out / name)


if __name__ == "__main__":
    main()
