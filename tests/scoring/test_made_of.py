"""The digest under which a board's tables are kept: another one whenever what a table says could be another."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.build import build
from scoring.publish import preview
from scoring.publish.preview import made_of
from tests.scoring.builder import GOOD, everywhere
from tests.scoring.conftest import Enter


def digest(submissions: Path) -> bytes:
    with build(submissions) as built:
        return made_of(built)


def test_the_same_entries_give_the_same_and_one_more_another(submissions: Path, enter: Enter) -> None:
    enter("first", everywhere(GOOD))
    found = digest(submissions)
    assert digest(submissions) == found
    enter("second", everywhere({**GOOD, "house-price": 0.9}))
    assert digest(submissions) != found


def test_a_rejected_folder_is_part_of_it(submissions: Path, enter: Enter) -> None:
    """The record to download names it, and no entry's evidence does."""
    enter("first", everywhere(GOOD))
    found = digest(submissions)
    (submissions / "nothing-in-it").mkdir()
    assert digest(submissions) != found


def test_other_code_is_part_of_it(submissions: Path, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    enter("first", everywhere(GOOD))
    found = digest(submissions)
    monkeypatch.setattr(preview, "ranked_by", lambda: "another version")
    assert digest(submissions) != found
