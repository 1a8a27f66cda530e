"""The ledger: nobody changes, drops, moves or inserts a line unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import SchemaError, VerificationError
from scoring.ledger import append_line, digest, ledger_bytes, must_continue, read_ledger

ABOUT = {"time": "2026-11-20T12:00:00Z", "entry": "some-entry", "bundle_sha256": "ab" * 32}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.jsonl"
    for reason in ("first", "second", "third"):
        append_line(file, {**ABOUT, "kind": "inclusion", "reason": reason})
    return file


def test_a_whole_chain_reads_back(ledger: Path) -> None:
    lines = read_ledger(ledger)
    assert [line.reason for line in lines] == ["first", "second", "third"]
    assert lines[2].previous == lines[1].sha256
    assert read_ledger(ledger.with_name("none.jsonl")) == ()


def changed(text: str) -> str:
    return text.replace("second", "sekond")


def rehashed(text: str) -> str:
    """An insider's change: the line's own digest is put right, the next line's link is not."""
    tree = json.loads(changed(text))
    tree["sha256"] = digest({key: value for key, value in tree.items() if key != "sha256"})
    return json.dumps(tree)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda lines: [lines[0], changed(lines[1]), lines[2]],
        lambda lines: [lines[0], rehashed(lines[1]), lines[2]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[2]],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0], lines[0], lines[1], lines[2]],
        lambda lines: [*lines, "{"],
        lambda lines: [*lines, lines[2]],
        lambda lines: [lines[0], "", *lines[1:]],
    ],
)
def test_a_changed_chain_is_refused(ledger: Path, tamper: object) -> None:
    assert callable(tamper)
    ledger.write_text("\n".join(tamper(ledger.read_text().splitlines())) + "\n")
    with pytest.raises(VerificationError, match="ledger"):
        read_ledger(ledger)
    before = ledger.read_bytes()
    with pytest.raises(VerificationError):
        append_line(ledger, {**ABOUT, "kind": "inclusion", "reason": "more"})
    assert ledger.read_bytes() == before


@pytest.mark.parametrize("lost", [1, 20])
def test_a_torn_last_line_is_refused_before_another_is_joined_to_it(ledger: Path, lost: int) -> None:
    ledger.write_bytes(ledger.read_bytes()[:-lost])
    with pytest.raises(VerificationError, match="middle of a line"):
        append_line(ledger, {**ABOUT, "kind": "inclusion", "reason": "more"})


def test_the_ledger_is_no_link(ledger: Path) -> None:
    ledger.rename(ledger.with_name("elsewhere"))
    ledger.symlink_to("elsewhere")
    with pytest.raises(VerificationError, match="is a link"):
        read_ledger(ledger)


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "regrade", "reason": "without verdicts"},
        {"kind": "downgrade", "reason": "to where"},
        {"kind": "promotion", "reason": "no such kind"},
        {"kind": "removal", "reason": ""},
    ],
)
def test_a_line_that_says_nothing_is_not_appended(ledger: Path, content: dict[str, str]) -> None:
    with pytest.raises(SchemaError):
        append_line(ledger, {**ABOUT, **content})
    assert len(read_ledger(ledger)) == 3


def test_a_longer_chain_continues_a_shorter_one(ledger: Path) -> None:
    earlier = read_ledger(ledger)
    append_line(ledger, {**ABOUT, "kind": "inclusion", "reason": "fourth"})
    must_continue(read_ledger(ledger), earlier)
    must_continue(read_ledger(ledger), ())
    assert ledger_bytes(read_ledger(ledger)) == ledger.read_bytes(), "what is published is the file"


@pytest.mark.parametrize(("kept", "said"), [(2, "1 line.s. that there were are missing"), (1, "2 line.s. that")])
def test_lines_that_are_missing_at_the_end_are_seen(ledger: Path, kept: int, said: str) -> None:
    """The one change that a chain does not show by itself."""
    earlier = read_ledger(ledger)
    ledger.write_text("".join(ledger.read_text().splitlines(keepends=True)[:kept]))
    with pytest.raises(VerificationError, match=said):
        must_continue(read_ledger(ledger), earlier)


def test_a_history_that_was_written_anew_is_seen(ledger: Path) -> None:
    earlier = read_ledger(ledger)
    ledger.write_text(ledger.read_text().splitlines(keepends=True)[0])
    for reason in ("another second", "another third", "another fourth"):
        append_line(ledger, {**ABOUT, "kind": "inclusion", "reason": reason})
    with pytest.raises(VerificationError, match="line 2 is not the line that there was"):
        must_continue(read_ledger(ledger), earlier)


def test_a_mirror_says_where(ledger: Path) -> None:
    with pytest.raises(SchemaError, match="a mirror says where the copies are"):
        append_line(ledger, {**ABOUT, "kind": "mirror", "reason": "copied"})
    line = append_line(ledger, {**ABOUT, "kind": "mirror", "reason": "copied", "evidence": "https://a.org/copies"})
    assert read_ledger(ledger)[-1] == line
