"""The table of hostile pull requests names tests that there are, and the page is the table."""

from __future__ import annotations

import re

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


def test_no_yaml_of_a_stranger_can_be_read() -> None:
    """The one reader of YAML is the site generator, of its own configuration."""
    sources = [file for wing in ("harness", "scoring") for file in (ROOT / wing).rglob("*.py")]
    assert len(sources) > 300
    assert [
        file.name for file in sources if re.search(r"^\s*(import|from) (yaml|ruamel)", file.read_text(), re.M)
    ] == []
