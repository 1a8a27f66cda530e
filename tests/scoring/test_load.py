"""One bad folder is rejected with its reasons and stops nobody else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import GymboardError, UsageError, VerificationError
from scoring.facts.evidence import MAX_BUNDLE_BYTES
from scoring.facts.read import Facts, read_facts
from scoring.inclusion import include_entry
from scoring.load import Bundles
from tests.scoring.conftest import COMMITTED

GOOD = "gpt-4o-mlgym"
OTHER = "gemini-1-5-pro-mlgym"


def edit(file: Path, old: bytes, new: bytes) -> None:
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))


def giant(folder: Path) -> None:
    os.truncate(folder / "bundle.json", MAX_BUNDLE_BYTES + 1)


def linked(folder: Path) -> None:
    (folder / "bundle.json").rename(folder / "elsewhere.json")
    (folder / "bundle.json").symlink_to("elsewhere.json")


def fifo(folder: Path) -> None:
    (folder / "bundle.json").unlink()
    os.mkfifo(folder / "bundle.json")


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda f: (f / "bundle.json").write_bytes(b""), "not acceptable JSON"),
    "missing": (lambda f: (f / "bundle.json").unlink(), "missing or not a regular file"),
    "giant": (giant, "at most"),
    "link": (linked, "not a regular file"),
    "fifo": (fifo, "not a regular file"),
    "nan": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": NaN, "x": '), "not a finite number"),
    "infinity": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": 1e999, "x": '), "not a finite number"),
    "twice": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": 1, "Score": '), "appears twice"),
    "stranger": (lambda f: edit(f / "bundle.json", b'"audit"', b'"aup": 9, "audit"'), "aup"),
    "other-form": (lambda f: edit(f / "bundle.json", b"\n", b"\n\n"), "canonical form"),
    "impostor": (lambda f: edit(f / "bundle.json", b'"submitter": "gymboard"', b'"submitter": "github:7"'), "import"),
    "invented": (
        lambda f: edit(f / "bundle.json", b'"api_calls": ', b'"api_calls": 1'),
        "no inclusion of exactly these bytes",
    ),
    "not-utf-8": (lambda f: (f / "bundle.json").write_bytes(b"\xff\xfe{}"), "not acceptable JSON|UTF-8|utf-8"),
}


def names(facts: Facts) -> list[str]:
    return [name for (name,) in facts.db.execute("SELECT entry FROM entries ORDER BY entry_no").fetchall()]


def commit(submissions: Path, *entries: str) -> None:
    for name in entries:
        shutil.copytree(COMMITTED / name, submissions / name)


@pytest.mark.parametrize("fault", sorted(HOSTILE))
def test_a_bad_entry_is_rejected_alone(submissions: Path, fault: str) -> None:
    commit(submissions, GOOD, OTHER)
    shutil.copy(COMMITTED / "ledger.jsonl", submissions)
    spoil, reason = HOSTILE[fault]
    spoil(submissions / GOOD)
    with read_facts(submissions) as facts:
        assert names(facts) == [OTHER]
        [(folder, reasons)] = facts.rejections
    assert folder == GOOD
    assert re.search(reason, " ".join(reasons)), reasons


def test_an_import_is_shown_once_it_is_included(submissions: Path) -> None:
    commit(submissions, GOOD, OTHER)
    assert len(names(read_facts(submissions))) == 2, "without a ledger the folder is private: imports are shown"
    include_entry(submissions, GOOD, "Checked against the published files.")
    assert names(read_facts(submissions)) == [GOOD]
    include_entry(submissions, OTHER, "Checked as well.")
    assert len(names(read_facts(submissions))) == 2
    with pytest.raises(UsageError, match="no-such-entry"):
        include_entry(submissions, "no-such-entry", "Why not.")


@pytest.mark.parametrize("fault", ["nan", "twice", "other-form", "elsewhere", "link"])
def test_inclusion_reads_strictly_because_it_is_the_last_to_do_so(submissions: Path, fault: str) -> None:
    commit(submissions, GOOD)
    if fault == "elsewhere":
        (submissions / GOOD).rename(submissions / "elsewhere")
        with pytest.raises(GymboardError, match="rename the folder"):
            include_entry(submissions, "elsewhere", "Why not.")
    else:
        HOSTILE[fault][0](submissions / GOOD)
        with pytest.raises(GymboardError, match=HOSTILE[fault][1]):
            include_entry(submissions, GOOD, "Why not.")
    assert not (submissions / "ledger.jsonl").exists()


def test_the_baselines_name_is_nobodys(submissions: Path) -> None:
    commit(submissions, GOOD)
    (submissions / GOOD).rename(submissions / "baseline")
    edit(submissions / "baseline" / "bundle.json", f'"id": "{GOOD}"'.encode(), b'"id": "baseline"')
    with pytest.raises(GymboardError, match="baseline's own"):
        include_entry(submissions, "baseline", "Why not.")
    assert "baseline's own" in read_facts(submissions).rejections[0][1][0]


def test_another_suite_is_another_board(submissions: Path) -> None:
    commit(submissions, GOOD, OTHER)
    edit(submissions / GOOD / "bundle.json", b'"suite_version": "1.0.0"', b'"suite_version": "2.0.0"')
    edit(submissions / OTHER / "bundle.json", b'"suite_version": "1.0.0"', b'"suite_version": "1.9.0"')
    with read_facts(submissions) as facts:
        assert names(facts) == [OTHER]
        [(folder, reasons)] = facts.rejections
    assert (folder, "suite_version: 2.0.0 is another suite" in reasons[0]) == (GOOD, True)


def test_numbers_that_no_column_holds_are_named(submissions: Path) -> None:
    commit(submissions, GOOD, OTHER)
    edit(submissions / GOOD / "bundle.json", b'"seed": 3,\n   "steps"', b'"seed": 9007199254740992,\n   "steps"')
    with read_facts(submissions) as facts:
        assert names(facts) == [OTHER]
        [(_, reasons)] = facts.rejections
    assert "episodes[3].seed" in reasons[0]
    assert "9007199254740991" in reasons[0]


def test_unknown_tasks_and_metrics_keep_their_rows(submissions: Path) -> None:
    commit(submissions, GOOD)
    file = submissions / GOOD / "bundle.json"
    file.write_bytes(file.read_bytes().replace(b'"battle-of-sexes"', b'"battle-of-sexet"').replace(b"accuracy", b"acc"))
    with read_facts(submissions) as facts:
        assert facts.rejections == ()
        query = "SELECT count(*) FROM attempts WHERE task = 'battle-of-sexet' AND value IS NOT NULL"
        assert facts.db.execute(query).fetchone() > (4,)


def test_folders_that_are_not_what_they_say(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / "another-name")
    shutil.copytree(COMMITTED / GOOD, submissions / "not-\udcff-text")
    (submissions / "a-link").symlink_to(COMMITTED / GOOD)
    (submissions / "README.md").write_text("no entry\n")
    (submissions / ".hidden").mkdir()
    (submissions / "ledger.d").mkdir()
    reasons = dict(read_facts(submissions).rejections)
    assert set(reasons) == {"another-name", "a-link", "not-\\xff-text"}
    assert "rename the folder" in reasons["another-name"][0]
    assert "not a plain folder" in reasons["a-link"][0]


def test_every_reason_is_given(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / GOOD)
    edit(submissions / GOOD / "bundle.json", b'"profile": "official"', b'"profile": "tiny"')
    edit(submissions / GOOD / "bundle.json", b'"schema_version": 1', b'"schema_version": 2')
    [(_, reasons)] = read_facts(submissions).rejections
    assert len(reasons) > 1


def test_a_broken_ledger_stops_everything(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / GOOD)
    (submissions / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(VerificationError, match="ledger"):
        read_facts(submissions)


def test_no_folder_is_an_empty_board(tmp_path: Path) -> None:
    with read_facts(tmp_path / "nowhere") as facts:
        assert (names(facts), facts.rejections) == ([], ())
        for table in ("episodes", "attempts", "baselines", "notes", "ledger"):
            assert facts.db.execute(f"SELECT * FROM {table}").fetchall() == []


def test_an_unpublished_bundle_stands_beside_the_published_ones(submissions: Path, tmp_path: Path) -> None:
    commit(submissions, GOOD, OTHER)
    own = shutil.copytree(COMMITTED / GOOD, tmp_path / "mine")
    with read_facts(submissions, unpublished=[own, own / "bundle.json"]) as facts:
        query = "SELECT entry, preview, level FROM entries ORDER BY entry_no"
        preview = (GOOD, True, None)
        found = [(OTHER, False, "reported"), (GOOD, False, "reported"), preview, preview]
        assert facts.db.execute(query).fetchall() == found
        assert facts.sha256 == read_facts(submissions).sha256
        counts = facts.db.execute("SELECT count(*) FROM episodes GROUP BY entry_no ORDER BY entry_no").fetchall()
        assert counts[1] == counts[2] == counts[3]
    (own / "bundle.json").write_bytes(b"{}")
    with pytest.raises(GymboardError, match="cannot be previewed"):
        read_facts(submissions, unpublished=[own])


def test_bundles_are_read_when_they_are_asked_for(submissions: Path, tmp_path: Path) -> None:
    commit(submissions, GOOD)
    (submissions / "a-link").symlink_to(COMMITTED / GOOD)
    (submissions / "empty").mkdir()
    bundles = Bundles(submissions, shutil.copytree(COMMITTED / OTHER, tmp_path / "mine"))
    assert list(bundles) == sorted([f"{OTHER}.preview", GOOD])
    assert bundles[GOOD].bundle.entry.id == GOOD
    assert bundles[f"{OTHER}.preview"].bundle.entry.id == OTHER
    for missing in ("a-link", "empty", "..", f"../submissions/{GOOD}", OTHER, ""):
        assert bundles.get(missing) is None
