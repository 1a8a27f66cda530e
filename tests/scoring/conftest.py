"""Fixtures: an empty board, the committed entries, and a way to enter one that is signed, included and regraded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.build import build_leaderboard
from scoring.leaderboard import Leaderboard
from tests.scoring.builder import Values, include, regrade, run_bundle, write_entry

COMMITTED = Path(__file__).resolve().parents[2] / "submissions"
Enter = Callable[..., Path]


@pytest.fixture(scope="session")
def committed() -> Leaderboard:
    return build_leaderboard(COMMITTED)


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


@pytest.fixture
def enter(submissions: Path, tmp_path: Path) -> Enter:
    def enter(name: str, claimed: Values, found: Values | None = None, **bundle: str) -> Path:
        folder = write_entry(submissions, run_bundle(name, claimed, **bundle), tmp_path / "keys")
        include(submissions, folder)
        regrade(submissions, folder, claimed if found is None else found)
        return folder

    return enter
