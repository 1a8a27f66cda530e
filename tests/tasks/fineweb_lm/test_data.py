"""fineweb-lm's data.py: the layout of the shards, splits that do not overlap, and official shards cut where we say."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.grading.claims.runtime.shard import read_shard
from harness.schema.task import load_task, tasks_root

FOLDER = tasks_root() / "fineweb-lm"
SCRIPT = runpy.run_path(str(FOLDER / "data.py"))
PARAMS = load_task(FOLDER).profiles["smoke"].params


def made(profile: str, source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    words = ["--profile", profile, "--source", str(source), "--out", str(out), "--params", '{"vocabulary": 64}']
    command = [sys.executable, "-I", "-B", str(FOLDER / "data.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("smoke")
    assert made("smoke", out, out).returncode == 0
    return out


def test_smoke_tokens_are_the_same_for_everybody_and_within_the_vocabulary(smoke: Path, tmp_path: Path) -> None:
    assert made("smoke", tmp_path, tmp_path).returncode == 0
    names = ["agent/train-000001.bin", "grader/sealed.bin", "grader/validation.bin"]
    assert sorted(str(path.relative_to(smoke)) for path in smoke.rglob("*.bin")) == names
    for name in names:
        assert (smoke / name).read_bytes() == (tmp_path / name).read_bytes()
        assert read_shard(smoke / name).max() < int(PARAMS["vocabulary"])


def test_held_out_text_is_not_in_the_training_text(smoke: Path) -> None:
    """No run of 16 tokens of a held-out split occurs in the training shard."""
    train = windows(read_shard(smoke / "agent/train-000001.bin"))
    sealed, validation = (windows(read_shard(smoke / f"grader/{name}.bin")) for name in ("sealed", "validation"))
    assert not train & sealed
    assert not train & validation
    assert not sealed & validation


def windows(tokens: np.ndarray[Any, np.dtype[np.uint16]]) -> set[bytes]:
    raw = np.ascontiguousarray(tokens).tobytes()
    return {raw[begin : begin + 32] for begin in range(0, len(raw) - 31, 2)}


def test_the_smoke_profile_has_enough_windows() -> None:
    held_out = min(SCRIPT["SMOKE"][name] for name in ("sealed", "validation"))
    assert int(PARAMS["grade_windows"]) <= (held_out - 1) // int(PARAMS["sequence"])
    assert int(PARAMS["audits"]) <= int(PARAMS["grade_windows"]) * int(PARAMS["sequence"])


def test_the_oracle_is_the_process_that_made_the_tokens(smoke: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It beats a table of pairs counted in the held-out text itself, and never meets an impossible token."""
    facts = {"seed": [SCRIPT["SEED"]], "vocabulary": [PARAMS["vocabulary"]]}
    monkeypatch.setitem(sys.modules, "safetensors.numpy", SimpleNamespace(load_file=lambda path: facts))
    oracle = runpy.run_path(str(FOLDER / "grader/oracle/player.py"))
    tokens = read_shard(smoke / "grader/sealed.bin").astype(np.int64)
    claimed = oracle["claims"](oracle["load"](""), tokens[None])[0, 1:]
    assert claimed.min() > np.log(0.5 * 0.5**8)
    pairs = np.zeros((64, 64))
    np.add.at(pairs, (tokens[:-1], tokens[1:]), 1)
    counted = -np.log((pairs / pairs.sum(axis=1, keepdims=True))[tokens[:-1], tokens[1:]]).mean()
    assert -claimed.mean() < counted - 0.3


def test_official_shards_are_cut_where_the_task_says(tmp_path: Path) -> None:
    write, sealed, validation = SCRIPT["write"], SCRIPT["SEALED"], SCRIPT["VALIDATION"]
    held_out = (np.arange(sealed + validation + 1000) % 50_257).astype("<u2")
    write(tmp_path / "source/fineweb_val_000000.bin", held_out)
    write(tmp_path / "source/fineweb_train_000001.bin", held_out[:5000])
    done = made("official", tmp_path / "source", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(read_shard(tmp_path / "out/grader/sealed.bin"), held_out[: sealed + 1])
    cut = read_shard(tmp_path / "out/grader/validation.bin")
    assert np.array_equal(cut, held_out[sealed + 1 : sealed + validation + 2])
    assert len(read_shard(tmp_path / "out/agent/train-000001.bin")) == 5000
