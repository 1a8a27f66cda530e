"""Shell and stamp: a page is stamped only when every slot is there as often as it should be."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from harness.errors import GymboardError
from scoring.publish.stamp import read_shell, slot

PAGE = f"<title>{slot('name')}</title><h1>{slot('name')}</h1><div>{slot('body')}</div>"
EXPECTED = {"name": 2, "body": 1}


def test_every_slot_is_filled_and_text_is_escaped() -> None:
    shell = read_shell(PAGE, EXPECTED, "page")
    html = shell.stamp({"name": "<b>&", "body": Markup("<p>ok</p>")})
    assert html == "<title>&lt;b&gt;&amp;</title><h1>&lt;b&gt;&amp;</h1><div><p>ok</p></div>"


@pytest.mark.parametrize(
    "html",
    [
        PAGE.replace(slot("body"), ""),
        PAGE + slot("name"),
        PAGE + slot("stranger"),
        PAGE.replace(slot("name"), slot("body"), 1),
        "",
    ],
    ids=["missing", "doubled", "unknown", "exchanged", "empty"],
)
def test_a_shell_with_other_slots_is_refused(html: str) -> None:
    with pytest.raises(GymboardError, match="occurs"):
        read_shell(html, EXPECTED, "page")


def test_a_slot_in_a_value_is_text_and_is_never_filled() -> None:
    shell = read_shell(PAGE, EXPECTED, "page")
    html = shell.stamp({"name": slot("body"), "body": "secret"})
    assert html.count("secret") == 1
    assert html.count(slot("body")) == 2
