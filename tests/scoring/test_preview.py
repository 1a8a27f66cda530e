"""A private preview: marked, on comparable tasks only, and without any effect on the boards themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SchemaError, UsageError
from scoring.build import build_leaderboard
from tests.scoring.builder import GOOD, everywhere, run_bundle
from tests.scoring.conftest import COMMITTED, Enter


@pytest.fixture
def bundle_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "bundle.json").write_bytes(run_bundle("mine", everywhere(GOOD, seeds=1), profile="smoke").canonical())
    return folder


def test_beside_published_results_on_four_tasks(bundle_folder: Path) -> None:
    board = build_leaderboard(COMMITTED, previews=[bundle_folder]).previews[1]
    assert (board.id, board.reading, board.preview) == ("published", "live", True)
    assert [task.id for task in board.tasks] == [
        "house-price",
        "prisoners-dilemma",
        "battle-of-sexes",
        "colonel-blotto",
    ]
    mine = next(row for row in board.rows if row.kind == "preview")
    assert [cell.last.value for cell in mine.cells] == [GOOD[task.id] for task in board.tasks]
    assert mine.level is None
    assert mine.standings["last"].rank is not None
    assert len(board.rows) == 7
    text = " ".join(board.caveats)
    assert "4 tasks only" in text
    assert "claimed" in text
    assert "smoke" in text


def test_the_boards_do_not_change(bundle_folder: Path) -> None:
    plain = build_leaderboard(COMMITTED)
    assert build_leaderboard(COMMITTED, previews=[bundle_folder]).boards == plain.boards


def test_beside_the_season(submissions: Path, enter: Enter, bundle_folder: Path) -> None:
    enter("honest", everywhere(GOOD))
    enter("mine", everywhere(GOOD))
    board = build_leaderboard(submissions, previews=[bundle_folder]).previews[0]
    assert [(row.id, row.kind) for row in board.rows] == [
        ("honest", "entry"),
        ("mine", "preview"),
        ("baseline", "baseline"),
    ]
    assert board.rows[1].cells[0].last.seeds == (0.92, None, None, None)


def test_only_its_own_tasks_are_compared(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(run_bundle("mine", everywhere({"three-sat": 0.8})).canonical())
    previews = build_leaderboard(COMMITTED, previews=[tmp_path]).previews
    assert [(board.id, len(board.tasks)) for board in previews] == [("season", 1)]


def test_what_cannot_be_previewed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="import"):
        build_leaderboard(COMMITTED, previews=[COMMITTED / "gpt-4o-mlgym"])
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(SchemaError):
        build_leaderboard(COMMITTED, previews=[tmp_path])
