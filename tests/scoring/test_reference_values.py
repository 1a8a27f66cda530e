"""The published tables come out: figures that MLGym's own script and the exact integral give for these five models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.importers.mlgym import import_mlgym, write_entries
from scoring.build import build_leaderboard
from scoring.leaderboard import Leaderboard, Row
from scoring.vocabulary import Reading
from tests.scoring.conftest import COMMITTED

REFERENCE = {  # entry: compat best, compat last, exact best, exact last
    "openai-o1-preview-mlgym": (1.143, 1.165, 1.1442, 1.1660),
    "gemini-1-5-pro-mlgym": (1.141, 1.126, 1.1426, 1.1265),
    "claude-3-5-sonnet-mlgym": (1.103, 1.096, 1.1035, 1.0972),
    "llama-3-1-405b-instruct-mlgym": (1.050, 1.074, 1.0509, 1.0754),
    "gpt-4o-mlgym": (0.966, 0.995, 0.9680, 0.9965),
    "baseline": (0.917, 0.944, 0.9178, 0.9449),
}


def rows(leaderboard: Leaderboard, reading: Reading) -> dict[str, Row]:
    board = leaderboard.board("published", reading)
    assert board is not None
    assert board.constants.tau_max == 1.2
    return {row.id: row for row in board.rows}


def assert_reference(leaderboard: Leaderboard) -> None:
    compat, live = rows(leaderboard, "mlgym-compat"), rows(leaderboard, "live")
    assert set(compat) == set(live) == set(REFERENCE)
    for entry, (best, last, exact_best, exact_last) in REFERENCE.items():
        assert compat[entry].standings["best"].aup == pytest.approx(best, abs=5.1e-4)
        assert compat[entry].standings["last"].aup == pytest.approx(last, abs=5.1e-4)
        assert live[entry].standings["best"].aup == pytest.approx(exact_best, abs=1e-4)
        assert live[entry].standings["last"].aup == pytest.approx(exact_last, abs=1e-4)


def test_committed_entries_give_the_published_table(committed: Leaderboard) -> None:
    assert_reference(committed)
    assert committed.rejections == ()


@pytest.mark.data
def test_the_raw_data_gives_the_published_table(real_data: Path, tmp_path: Path) -> None:
    write_entries(import_mlgym(real_data / "mlgym_bench_v0_five_models.tar.zst"), tmp_path)
    shutil.copy(COMMITTED / "ledger.jsonl", tmp_path)
    assert_reference(build_leaderboard(tmp_path))


@pytest.mark.data
def test_the_committed_entries_are_what_the_importer_writes(real_data: Path, tmp_path: Path) -> None:
    for file in write_entries(import_mlgym(real_data / "mlgym_bench_v0_five_models.tar.zst"), tmp_path):
        assert file.read_bytes() == (COMMITTED / file.parent.name / "bundle.json").read_bytes()


def test_two_traps_of_the_raw_data(committed: Leaderboard) -> None:
    """Mountain car's baseline lies under another key, and two models have no score on a task at all."""
    board = committed.board("published", "live")
    assert board is not None
    car = next(i for i, task in enumerate(board.tasks) if task.id == "mountain-car")
    assert board.tasks[car].baseline is None
    negative = [row for row in board.rows if (row.cells[car].last.mean or 0.0) < 0.0]
    assert negative, "there are runs far below any baseline, and none of them is infeasible for that"
    llama = next(row for row in board.rows if row.id.startswith("llama"))
    language = next(cell for cell in llama.cells if cell.task == "fineweb-lm")
    assert language.last.value is None
    assert not language.last.feasible
    worst = max(row.cells[9].last.log10_ratio or 0.0 for row in board.rows)
    assert language.last.log10_ratio == worst


def test_audit_notes_stand_beside_values_that_stay(committed: Leaderboard) -> None:
    row = rows(committed, "live")["claude-3-5-sonnet-mlgym"]
    blotto = next(cell for cell in row.cells if cell.task == "colonel-blotto")
    assert blotto.best.value == pytest.approx(0.57557, abs=1e-5)
    assert any(note.value == blotto.best.value and "target.py" in note.evidence for note in blotto.notes)


def test_costs_are_recomputed_not_copied(committed: Leaderboard) -> None:
    row = rows(committed, "live")["openai-o1-preview-mlgym"]
    assert row.entry is not None
    assert row.cost.usd_per_episode == pytest.approx((row.input_tokens * 15 + row.output_tokens * 60) / 52e6)
    assert row.cost.reported_usd_per_episode == pytest.approx(1.5727, abs=1e-3)
