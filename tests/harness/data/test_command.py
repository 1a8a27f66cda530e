"""`gymboard data list` and `data verify`, and what `data prepare` says, as a user sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.data.tasks import ROOT


def gymboard(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GYMBOARD_DATA_MIRROR"}
    environment |= {"GYMBOARD_HOME": str(home), "PYTHONPATH": str(ROOT), "HF_HOME": str(home / "hf")}
    program = [sys.executable, str(ROOT / "gymboard.py"), "data"]
    return subprocess.run([*program, *words], env=environment, capture_output=True, text=True, check=False)


def test_one_task_without_data_does_not_stop_the_others(tmp_path: Path) -> None:
    ended = gymboard(tmp_path, "prepare", "house-price", "colonel-blotto", "--offline")
    assert ended.returncode == 1
    assert "house-price: house_prices.csv (460,676 bytes, sha256 1e18addf" in ended.stderr
    assert "not asked: offline" in ended.stderr
    assert "gymboard: no data for house-price; calling again goes on where it stopped" in ended.stderr
    assert ended.stdout == "colonel-blotto: needs no data\n"
    assert gymboard(tmp_path, "prepare", "house-prize").returncode == 2


def test_verify_finds_a_changed_a_missing_and_a_strange_file(tmp_path: Path) -> None:
    assert gymboard(tmp_path, "prepare", "house-price", "--profile", "smoke").returncode == 0
    ended = gymboard(tmp_path, "verify")
    assert (ended.returncode, ended.stdout) == (0, "1 source(s) and folder(s) read, 0 fault(s)\n")
    [folder] = (tmp_path / "data/house-price").glob("smoke-*[!k]")
    for part in ("agent", "grader"):
        (folder / part).chmod(0o700)
    (folder / "agent/train.csv").unlink()
    (folder / "agent/more.csv").write_text("x")
    labels = folder / "grader/labels.csv"
    labels.chmod(0o600)
    labels.write_text(labels.read_text().replace("sealed", "sealde", 1))
    ended = gymboard(tmp_path, "verify", "house-price")
    assert ended.returncode == 1
    for said in (
        "train.csv: is missing",
        "more.csv: was not there",
        "labels.csv: has other bytes than when it was made",
    ):
        assert said in ended.stdout
    assert ended.stdout.endswith("1 source(s) and folder(s) read, 3 fault(s)\n")


@pytest.mark.data
def test_list_says_what_is_here(tmp_path: Path, real_data: Path) -> None:
    before = json.loads(gymboard(tmp_path, "list", "house-price", "mnli", "--json").stdout)
    assert {(one["task"], one["digest"], one["where"]) for one in before["sources"]} == {
        ("house-price", "verified", "absent"),
        ("mnli", "cited", "absent"),
    }
    assert gymboard(tmp_path, "prepare", "house-price", "--mirror", str(real_data)).returncode == 0
    text = gymboard(tmp_path, "list", "house-price").stdout
    assert "460,676" in text and "stored" in text
    assert "house-price: official prepared, smoke not prepared" in text
    [stored] = [path for path in (tmp_path / "data/sources").iterdir() if not path.suffix]
    stored.chmod(0o600)
    stored.write_bytes(stored.read_bytes()[::-1])
    ended = gymboard(tmp_path, "verify", "house-price")
    assert ended.returncode == 1
    assert "the stored house_prices.csv has other bytes than it should" in ended.stdout
