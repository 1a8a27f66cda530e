"""Tables are written in little memory: what does not fit goes to the disk, and no byte of a table depends on it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

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
        for memory in ("4GB", "24MB"):
            monkeypatch.setattr(tables, "MEMORY", memory)
            files = export.export(built, tmp_path / memory)
            found[memory] = {
                f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.suffix == ".parquet"
            }
            spilled = any(spills.iterdir())
        limit = built.facts.db.execute("SELECT current_setting('memory_limit')").fetchone()
    assert found["4GB"] == found["24MB"]
    assert spilled
    assert limit != ("24MB",)
    assert not any(spills.iterdir())
