"""Every page is valid HTML, by html-validate with the rules of tests/site/node/html-validate.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.gates import html_faults

pytestmark = pytest.mark.browser


def test_every_page_of_the_committed_site_is_valid(committed_site: Path, gates: None) -> None:
    assert html_faults(sorted(committed_site.rglob("*.html"))) == []


def test_every_page_of_the_hostile_site_is_valid(hostile_site: Path, gates: None) -> None:
    assert html_faults(sorted(hostile_site.rglob("*.html"))) == []


@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ("<b>x</i>", "close-order"),
        ('<p id="a">x</p><p id="a">y</p>', "no-dup-id"),
        ("<ul><p>x</p></ul>", "element-permitted-content"),
    ],
)
def test_the_validator_sees_what_is_wrong(tmp_path: Path, gates: None, markup: str, rule: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f'<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>{markup}</body></html>')
    assert rule in " ".join(html_faults([page]))
