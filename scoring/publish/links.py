"""The check over a built site: every internal link, anchor and card resolves; nothing is asked of another origin.

Takes the folder, gives the list of problems. A link that names the site's own address is an internal one. Reads HTML,
style sheets and our own script; what the theme's bundle asks for the browser tests see. Never opens a connection.
"""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.errors import Problem

_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}
_FETCHED |= {"image": "href", "use": "href", "video": "src", "audio": "src", "track": "src"}
_OWN_SCRIPTS = ("assets/*.js", "assets/js/*.js")
_ADDRESS = re.compile(r"https?://(?!www\.w3\.org/2000/svg\b)[^\s'\"`]+")
"""The one exception is a name that looks like an address: browsers make SVG elements by it."""
_LINK_FETCHES = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
_CSS_URL = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^'\")]+)|@import\s+['\"]?((?:https?:)?//[^'\"]+)")


class _Page(HTMLParser):
    """Ids, links and fetched addresses of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.canonical = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if name := values.get("id") or (tag == "a" and values.get("name")):
            self.ids.add(str(name))
        if tag in ("a", "area", "link") and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") == "canonical":
            self.canonical = values.get("href", "")
        if tag == "meta" and values.get("property") == "og:image":
            self.links.append(values.get("content", ""))
        if tag == "link" and _LINK_FETCHES & set(values.get("rel", "").split()):
            self.fetched.append(values["href"])
        if tag in _FETCHED and _FETCHED[tag] in values:
            self.fetched.append(values[_FETCHED[tag]])
            self.links.append(values[_FETCHED[tag]])
        self.fetched += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        self.fetched += _css_addresses(values.get("style", ""))
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.fetched += _css_addresses(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def _css_addresses(text: str) -> list[str]:
    return [a or b for a, b in _CSS_URL.findall(text)]


def _is_foreign(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in ("http", "https")


def check_site(folder: Path) -> list[Problem]:
    """Every broken internal link, broken anchor and foreign request of the HTML and CSS under `folder`."""
    root = folder.resolve()
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.html"))}
    home = pages.get(root / "index.html")
    address = home.canonical.removesuffix("index.html") if home else ""
    problems: list[Problem] = []
    for path, page in pages.items():
        where = path.relative_to(root).as_posix()
        problems += [Problem(where, f"asks another origin: {url}") for url in page.fetched if _is_foreign(url)]
        links = [_own(link, address) for link in page.links]
        problems += [Problem(where, fault) for link in links if (fault := _fault(link, path, root, pages))]
    found = [(path, _css_addresses(path.read_text(encoding="utf-8"))) for path in sorted(root.glob("**/*.css"))]
    scripts = [path for pattern in _OWN_SCRIPTS for path in sorted(root.glob(pattern))]
    found += [(path, _ADDRESS.findall(path.read_text(encoding="utf-8"))) for path in scripts]
    for path, addresses in found:
        where = path.relative_to(root).as_posix()
        problems += [Problem(where, f"asks another origin: {address}") for address in addresses]
    return problems


def _own(link: str, address: str) -> str:
    """The link as seen from the root of the site, when it names the site's own address or its path on the server."""
    path = urlsplit(address).path
    if address and link.startswith(address):
        return f"/{link[len(address) :]}"
    return f"/{link[len(path) :]}" if len(path) > 1 and link.startswith(path) else link


def _fault(link: str, source: Path, root: Path, pages: dict[Path, _Page]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or link.startswith("//"):
        return None
    target = _target(source, unquote(parts.path), root)
    if not target.is_relative_to(root) or not target.is_file():
        return f"broken link {link!r}"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids | {"", "__skip"}:
        return f"broken anchor {link!r}"
    return None


@cache
def _target(source: Path, path: str, root: Path) -> Path:
    if not path:
        return source
    target = (root / path.lstrip("/") if path.startswith("/") else source.parent / path).resolve()
    return target / "index.html" if target.is_dir() else target
