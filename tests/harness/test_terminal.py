"""Text that tries to drive the reader's terminal comes out as harmless characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.terminal import cut, plain


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;cm0gLXJm\x07clipboard", "clipboard"),
        ("\x1bP+q544e\x1b\\dcs", "dcs"),
        ("\x9b31mred\x9d0;t\x9cx", "redx"),
        ("\x1b]0;never closed", ""),
        ("\x1b[31", ""),
        ("a\x1bcb", "ab"),
        ("\x1b(0lqk", "lqk"),
        ("bell\x07 back\x08space nul\x00 del\x7f", "bell backspace nul del"),
        ("progress 1\rprogress 2\r\nend", "progress 1\nprogress 2\nend"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("zero\u200bwidth \U000e0041tag \ud800half", "zerowidth tag half"),
        ("na\u00efve \u2603 \u65e5\u672c", "na\u00efve \u2603 \u65e5\u672c"),
        ("a\tb", "a   b"),
    ],
)
def test_escapes_controls_and_directions_do_not_survive(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


@given(st.text(st.characters(codec=None)) | st.text("\x1b\x9b\x9d\x07\\[]P0;m\n\r\u202eab"))
def test_whatever_comes_in_nothing_unprintable_comes_out(text: str) -> None:
    out = plain(text)
    assert all(char == "\n" or not unicodedata.category(char).startswith("C") for char in out)
    assert plain(out) == out


def test_a_long_text_keeps_its_head_and_its_end() -> None:
    text = "\n".join(map(str, range(100)))
    shown = cut(text, 9).split("\n")
    assert shown[:6] == ["0", "1", "2", "3", "4", "5"]
    assert shown[6].startswith("... 91 more lines")
    assert shown[7:] == ["97", "98", "99"]
    assert cut("a\nb\nc", 2) == "a\nb\nc"  # one line more costs no more room than saying so


def test_tabs_stay_where_they_are_asked_for() -> None:
    assert plain("a\tb\x1b[0m\n\x00") == "a   b\n" and plain("a\tb\x1b[0m\n\x00", tabs=True) == "a\tb\n"
