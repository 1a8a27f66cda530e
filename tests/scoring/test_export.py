"""Tables are written in little memory: what does not fit goes to the disk, and no byte of a table depends on it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import duckdb
import pytest

from scoring import export, tables
from scoring.build import build
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season


def test_a_sort_that_spills_gives_the_same_bytes_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spills = tmp_path / "spills"
    spills.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spills))
    write_board(tmp_path / "submissions", 40, 7)
    write_season(tmp_path / "season.toml")
    season = Season.from_toml((tmp_path / "season.toml").read_text(encoding="utf-8"))
    found = {}
    with build(tmp_path / "submissions", season=season) as built:
        for memory in ("4GB", "48MB", "40MB", "36MB", "32MB", "28MB"):  # what a sort needs differs between machines
            monkeypatch.setattr(tables, "MEMORY", memory)
            files = export.export(built, tmp_path / memory)
            found[memory] = {
                f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.suffix == ".parquet"
            }
            spilled = any(spills.iterdir())
            if spilled:
                break
        limit = built.facts.db.execute("SELECT current_setting('memory_limit')").fetchone()
    assert found[memory] == found["4GB"]
    assert spilled
    assert limit != (memory,)
    assert not any(spills.iterdir())


def test_the_words_of_a_flag_leave_out_what_its_numbers_say() -> None:
    said = [
        "claimed 0.5, regraded 0.25: 0.25 apart, 0.01 allowed",
        "-1.2 on the sealed split, 1.1e-05 on validation: 1.2 apart, 0.05 is allowed (4 combined standard errors)",
        "scored 24.6 in 4 steps, none of which can change a file",
    ]
    with duckdb.connect() as db:
        db.execute("CREATE TABLE exported_rows AS SELECT unnest(?) AS words", [said])
        found = [words for (words,) in db.execute(tables.statement("table_flags")).fetchall()]
    assert found == ["0.01 allowed", "0.05 is allowed (4 combined standard errors)", said[2]]
