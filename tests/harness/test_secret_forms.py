"""Secrets in another form are found, gone, and named with it; look-alikes stay; hostile text costs linear time."""

from __future__ import annotations

import base64
import json
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.errors import CheckError
from harness.scrub import Scrubber, log_findings
from harness.secret_forms import without_broken, without_forms
from harness.secret_kinds import MARK, without
from tests.harness.test_scrub import ALNUM, SECRETS, lines

KEY = SECRETS["anthropic-key"]
ONE_WORD = sorted(set(SECRETS) - {"private-key", "aws-secret", "telegram-token", "authorization", "url-password"})
ONE_WORD = [kind for kind in ONE_WORD if kind not in ("assigned-secret", "quoted-secret", "email", "home")]


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "base64": ("base64", lambda secret: coded(f"x = '{secret}' and more")),
    "base64 behind other letters": ("base64", lambda secret: "path/of/" + coded(secret + "\n")),
    "base64 in lines": ("base64", lambda s: "\n".join(textwrap.wrap(coded("some text " * 9 + s + " more" * 9), 76))),
    "base64 of addresses": ("base64", lambda s: base64.urlsafe_b64encode(f"??>{s}".encode()).decode().rstrip("=")),
    "percent": ("percent-encoded", lambda secret: quote(f"k={secret}&x=1", safe="")),
    "percent, all of it": ("percent-encoded", lambda secret: "".join(f"%{ord(c):02X}" for c in secret)),
    "escapes": ("escaped", lambda secret: "".join(f"\\u{ord(c):04x}" for c in secret)),
    "escapes of Python": ("escaped", lambda secret: "".join(f"\\x{ord(c):02x}" for c in secret)),
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_each_kind_is_found_in_each_form_and_gone(kind: str, form: str) -> None:
    name, hide = FORMS[form]
    scrubber, again = Scrubber(known={}), Scrubber(known={})
    clean = scrubber.text("log", f"said {hide(SECRETS[kind])} and so on")
    assert scrubber.report() == {"log": {f"{kind} ({name})": 1}}
    assert clean.startswith("said ") and clean.endswith(" and so on")
    assert again.text("log", clean) == clean and not again.report(), "what is scrubbed is clean"


def test_quotes_within_quotes_hide_nothing() -> None:
    for kind in ("quoted-secret", "assigned-secret", "aws-secret", "authorization", "home"):
        nested = json.dumps(json.dumps({"x": SECRETS[kind]}))
        scrubber = Scrubber(known={})
        assert ALNUM[:12] not in scrubber.text("log", nested) and sum(scrubber.report()["log"].values()) == 1, kind


@pytest.mark.parametrize("kind", ONE_WORD)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\\n", "\\n"], ids=["line", "dos", "continued", "escaped"])
def test_a_token_that_a_lines_end_goes_through_is_one_token(kind: str, end: str) -> None:
    secret = SECRETS[kind]
    for cut in (len(secret) // 2, len(secret) - 9):
        scrubber = Scrubber(known={})
        clean = scrubber.text("log", f"export K={secret[:cut]}{end}{secret[cut:]} # mine")
        assert secret[cut + 1 :] not in clean and secret[5:cut] not in clean and MARK in clean
        assert sum(scrubber.report()["log"].values()) == 1


def test_what_stands_on_the_line_below_a_token_stays() -> None:
    for below in ("export PATH=/bin", "2026-11-21T10:00:00Z started", "step12_results.json", "Traceback (most"):
        text = f"{KEY}\n{below}"
        assert Scrubber(known={}).text("log", text) == f"{MARK}anthropic-key\n{below}"


def test_values_of_this_process_are_found_in_every_form() -> None:
    scrubber = Scrubber(known={"plain words here": "environment"})
    hidden = [
        coded("xplain words here"),
        quote("plain words here"),
        "plain wo\nrds here",
        "plain\\u0020words\\u0020here",
    ]
    clean = scrubber.text("log", " | ".join(hidden))
    assert not any(part in clean for part in hidden)
    forms = ("base64", "percent-encoded", "broken", "escaped")
    assert scrubber.report() == {"log": {f"environment ({form})": 1 for form in sorted(forms)}}


def test_a_form_within_a_form() -> None:
    scrubber = Scrubber(known={})
    assert KEY not in scrubber.text("log", coded(json.dumps({"a": coded(f"key: {KEY}")})))
    assert scrubber.report() == {"log": {"anthropic-key (base64) (base64)": 1}}


def test_a_packed_log_and_an_artifact_are_looked_into(tmp_path: Path) -> None:
    clean = Scrubber(known={}).log("a", "steps.jsonl", lines(f"echo {coded(KEY)} | base64 -d", "fine"))
    assert not log_findings("steps.jsonl", clean) and base64.b64encode(f"{MARK}anthropic-key".encode())[:24] in clean
    (tmp_path / "strategy.py").write_text(f"K = b64decode('{coded(KEY)}')\n")
    with pytest.raises(CheckError, match=r"1 anthropic-key \(base64\)"):
        Scrubber(known={}).refuse_secrets([("strategy.py", tmp_path / "strategy.py")])


@pytest.mark.parametrize(
    "text",
    [
        coded("a text without any secret in it, but long enough to be looked into"),
        "aVeryLongIdentifierThatLooksLikeBase64ButIsNot0123456789",
        "%d items of %s, 100%25 done at /api/v1%2Fusers",
        "\\x1b[31mred\\x1b[0m \\u2026 C:\\new\\table",
        "sk-\nlearn is not it, nor is ghp_\nshort",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    scrubber = Scrubber(known={})
    assert scrubber.text("log", text) == text and not scrubber.report()


@pytest.mark.parametrize("unit", ["A", "AAAA\n", "sk\n", "sk-a1\n", "%41", "%41 ", "\\u0041", "\\/", "ABEF-", "\\n"])
def test_hostile_text_costs_linear_time(unit: str) -> None:
    """A quadratic pattern would take hours here; the suite's own timeout is the bound."""
    text, found = unit * (1_000_000 // len(unit)), Counter[str]()
    without_forms(without_broken(text, found), found, without)
    assert not found
