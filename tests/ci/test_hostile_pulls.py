"""The table of hostile pull requests names tests that there are, and the page is the table."""

from __future__ import annotations

from tests.ci.actions import ROOT
from tests.ci.hostile_pulls import TABLE, page


def test_every_row_names_a_test_and_the_page_is_current() -> None:
    for row in TABLE:
        file, _, name = row.test.partition("::")
        name, _, case = name.partition("[")
        text = (ROOT / file).read_text()
        assert f"def {name}(" in text, row.test
        assert not case or f'    "{case.removesuffix("]")}": (' in text, row.test
    assert (ROOT / "site/docs/hostile.md").read_text() == page(), (
        "run python -m tests.ci.hostile_pulls site/docs/hostile.md"
    )
