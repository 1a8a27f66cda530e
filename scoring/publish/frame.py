"""The theme's frame around stamped pages, written once for all of them: header, navigation, search and what its script
needs.

Takes the shell of the entry pages, gives a shell with a plain header and the same links, and a script that puts the
theme's own frame in its place before a browser has read the page's text. Without JavaScript the plain header stays.
Never drops a link of the theme's tabs; a theme that builds its pages otherwise is refused.
"""

from __future__ import annotations

import json
import re

from harness.errors import GymboardError

SCRIPT = "assets/javascripts/frame.js"
_BODY = re.compile(r"<body\b[^>]*>")
_BOX = '<div class="md-container" data-md-component="container">'
_MAIN = '<main class="md-main" data-md-component="main">'
_INNER = '<div class="md-main__inner md-grid">'
_CONTENT = '<div class="md-content" data-md-component="content">'
_FOOTER, _OWN = "</footer></div>", '<script src="../assets/gymboard.js">'
_RUN = re.compile(r" ?<script>(.*?)</script> ?", re.S)
_TAB = re.compile(r'<a href="([^"]*)" class="md-tabs__link">(.*?)</a>', re.S)
_TOPIC = re.compile(r'(data-md-component="header-topic"><span class="md-ellipsis">).*?(</span>)', re.S)
_ELSEWHERE = re.compile(
    r'<meta (?:name="(?:generator|description)"|property="og:(?:type|site_name)")[^>]*>'
    r'|<link rel="alternate feed"[^>]*>'
)
"""What every real page says of the site: feeds, generator, kind. A stamped page says what it is itself, and once."""
_SAID, _SAID_ONCE = '<meta property="og:description"', '<meta name="description" property="og:description"'
_UNVOUCHED = '<meta name="robots" content="nofollow">'
"""What an entry links to is its submitter's choice."""
_BARE = re.compile(
    r'(?<=\s)((?!http-equiv|property)[a-z][\w:-]*)="((?![^"]*slot--)[\w.#][\w./#:-]*[\w.#]|\w)"(?=[\s>])'
)
_MARKS = re.compile(r' data-md-component="(?:container|main)"')
_PERMALINK = re.compile(r'<a class="headerlink"[^>]*>.*?</a>')
"""The table of contents beside the text leads to the same places."""
_FOOT = re.compile(r'(<footer class="md-footer">)\s*(?:<div\b[^>]*>\s*){4}([^<]*[^<\s])\s*(?:</div>\s*){4}$')
_PLACE = """const mark = document.currentScript, box = mark.closest(".md-container");
box.dataset.mdComponent = "container";
mark.closest("main").dataset.mdComponent = "main";
box.previousElementSibling.outerHTML = frame.top;
box.insertAdjacentHTML("afterbegin", frame.tabs);
mark.insertAdjacentHTML("beforebegin", frame.sides);
document.body.insertAdjacentHTML("beforeend", frame.end);
document.querySelector("[data-md-component=header-topic] .md-ellipsis").textContent =
  document.querySelector("[property='og:title']").content;
"""


def framed(shell: str) -> tuple[str, str]:
    """The lighter shell, and the text of SCRIPT. Raises GymboardError where the theme's frame is not as it was."""
    found = _BODY.search(shell)
    if not found:
        raise _changed("<body>")
    head, rest = shell[: found.end()], shell[found.end() :]
    top, rest = _cut(rest, _BOX)
    tabs, rest = _cut(rest, _MAIN)
    between, rest = _cut(rest, _INNER)
    sides, rest = _cut(rest, _CONTENT)
    article, rest = _cut(rest, _FOOTER)
    end, scripts = _cut(rest, _OWN)
    if between.strip() or _RUN.search(scripts):
        raise _changed("what lies between its parts")
    begun, first = _scripts(head)
    top, second = _scripts(top)
    article, _ = _scripts(article)  # it opens tabs of text, which no stamped page has
    topic, many = _TOPIC.subn(r"\1\2", top)
    links = _TAB.findall(tabs)
    if many != 1 or not links:
        raise _changed("its header")
    article = _PERMALINK.sub("", article.replace(" data-search-exclude", ""))  # nobody indexes what is stamped
    article, many = _FOOT.subn(r'\1<p class="md-grid">\2', article)
    if many != 1:
        raise _changed("its footer")
    boxes = _MARKS.sub("", _BOX + _MAIN) + _INNER
    plain = (
        f'{_head(begun)}{_header(links)}{boxes}<script src="../{SCRIPT}"></script>{_CONTENT}'
        f"{article}{_FOOTER} {_OWN}{scripts}"
    )
    parts = {"top": topic, "tabs": tabs, "sides": sides, "end": end}
    frame = f"const frame = {json.dumps(parts, ensure_ascii=False, indent=0)};\n"
    return _BARE.sub(r"\1=\2", plain), f"{first}\n{{\n{frame}{_PLACE}}}\n{second}\n"


def _head(html: str) -> str:
    return _ELSEWHERE.sub("", html).replace(_SAID, _UNVOUCHED + _SAID_ONCE)


def _header(links: list[tuple[str, str]]) -> str:
    """Where somebody without JavaScript can go from here."""
    listed = "".join(f'<a href="{address}">{title.strip()}</a>' for address, title in links)
    return (
        '<header class="md-header gb-plain"><a href="#entry" class="md-skip">Skip to content</a>'
        f'<nav class="md-grid" aria-label="Header"><b>Gymboard</b>{listed}</nav></header>'
    )


def _cut(html: str, mark: str) -> tuple[str, str]:
    before, found, after = html.partition(mark)
    if not found or mark in after:
        raise _changed(mark)
    return before, after


def _scripts(html: str) -> tuple[str, str]:
    """The HTML without its inline scripts, and these."""
    return _RUN.sub("", html), "\n".join(_RUN.findall(html))


def _changed(what: str) -> GymboardError:
    return GymboardError(f"the frame of the stamped pages: {what} is not there as it was. Did the theme change?")
