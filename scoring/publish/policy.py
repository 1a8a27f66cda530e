"""The Content-Security-Policy of the site: what a page may run and ask for.

Takes the pages that the generator built, gives one policy for all: own files, and of inline scripts exactly those that
the theme brought, by their digest. Computed before anything of an entry is on a page. Never allows inline scripts as
such.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import escape

from harness.errors import GymboardError
from scoring.publish.mend import mended
from scoring.publish.stamp import slot

_OPEN, _MARK = "script", slot("policy")
_DATA_TYPES = ("application/json", "application/ld+json")
_POLICY = re.compile(r'http-equiv="?Content-Security-Policy"? content="([^"]*)"')
_DIGEST = re.compile(r" &#39;sha256-[^&]*&#39;")
_RULES = (
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("style-src-attr", "'unsafe-inline'"),  # lengths of bars: templates of ours alone write attributes
    ("img-src", "'self' data:"),  # the theme's icons are data: masks
    ("font-src", "'self'"),
    ("connect-src", "'self'"),
    ("worker-src", "'self'"),
    ("base-uri", "'none'"),
    ("form-action", "'none'"),
)


class _Scripts(HTMLParser):
    """The text of every inline script that a browser would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside = tag == _OPEN and "src" not in values and values.get("type") not in _DATA_TYPES
        if self._inside:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def policy(pages: Iterable[str]) -> str:
    """One policy under which every inline script of `pages` runs, and no other. `pages`: HTML texts."""
    texts = {text for html in pages for text in _Scripts(html).texts}
    digests = sorted(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    scripts = "".join(f" 'sha256-{digest}'" for digest in digests)
    return "; ".join(f"{name} {value}{scripts if name == 'script-src' else ''}" for name, value in _RULES)


def with_hosts(shell: str) -> str:
    """The shell of the entry pages with a slot for the hosts that one of them may ask: those of its own payload, when a
    reader wants the text of its steps. Raises GymboardError when the policy is not there."""
    own = str(escape("connect-src 'self'"))
    if shell.count(own) != 1:
        raise GymboardError("the shell of the entry pages has no policy to add a payload's host to")
    return shell.replace(own, f"{own}{slot('entry-hosts')}")


def bare(shell: str) -> str:
    """The shell of pages without inline scripts, its policy without their digests. Raises GymboardError for one that
    has such a script."""
    if _Scripts(shell).texts:
        raise GymboardError("a shell that should have no inline script has one")
    found = _POLICY.search(shell)
    rule = unescape(_DIGEST.sub("", found[1])) if found else ""
    if not found or '"' in rule:
        raise GymboardError("the shell of the entry pages has no policy")
    return shell.replace(found[1], rule)


def protect(built: Path) -> None:
    """Mend every page under `built` and write the policy into it. Raises GymboardError for a page without its place."""
    pages = {path: mended(path.read_text(encoding="utf-8")) for path in sorted(built.rglob("*.html"))}
    rule = str(escape(policy(pages.values())))
    for path, html in pages.items():
        if html.count(_MARK) != 1:
            raise GymboardError(f"{path.name}: no place for the policy. Did the theme or site/overrides change?")
        path.write_text(html.replace(_MARK, rule), encoding="utf-8")
