"""Faults of the theme's HTML that no block of it lets us override, put right in the pages that it built.

Takes and gives the text of one page. Only what the theme writes is changed: this happens before anything of an entry is
on a page. Whether it is enough is judged by html-validate and axe-core in tests/site.
"""

from __future__ import annotations

import re

_FAULTS = (
    ('type="checkbox" id="__drawer" autocomplete="off"', 'type="checkbox" id="__drawer" aria-label="Navigation"'),
    ('type="checkbox" id="__search" autocomplete="off"', 'type="checkbox" id="__search" aria-label="Search"'),
    ('data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'),
    (' tabindex=""', ""),
    ('type="checkbox" id="__toc"', 'type="checkbox" id="__toc" aria-label="Table of contents"'),
)
_TOC_LABEL = re.compile(r'<label class="md-nav__title" for="__toc">(.*?)</label>', re.S)


def mended(html: str) -> str:
    """The page without the theme's faults."""
    for fault, remedy in _FAULTS:
        html = html.replace(fault, remedy)
    if 'id="__toc"' not in html:  # a page that is not in the navigation has no such box
        html = _TOC_LABEL.sub(r'<div class="md-nav__title">\1</div>', html)
    return html
