"""The one script of the site: every module is in it once, behind those that it imports, and works as it did alone."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from harness.errors import GymboardError
from scoring.publish.join import joined
from scoring.publish.shrink import shrunk

MODULES = Path(__file__).resolve().parents[2] / "site" / "docs" / "assets" / "js"
OWN = 12_000
"""Bytes gzipped, of all scripts of ours: the site's own limit."""


def test_a_module_stands_behind_those_that_it_imports_and_once() -> None:
    text = joined(
        {
            "a": 'import { b, c } from "./b.js";\nimport { d } from "./d.js";\nexport const a = [b, c, d];\n',
            "b": 'import { d } from "./d.js";\nexport const b = d;\nexport function c() {}\n',
            "d": "export const d = 4;\n",
        }
    )
    places = [text.index(part) for part in ("const d = 4", "const b = d", "const a = [b, c, d]")]
    assert places == sorted(places)
    assert text.count("const d = 4") == 1
    assert not re.search(r"\b(import|export)\b", text)


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ({"a": 'import { b } from "./b.js";\n'}, "b.js, which is not there"),
        ({"a": 'import { b } from "./b.js";\n', "b": 'import { a } from "./a.js";\n'}, "a.js, which is above it"),
        ({"a": 'import * as b from "./b.js";\n'}, "cannot be joined"),
        ({"a": "export default 3;\n"}, "cannot be joined"),
        ({"a": "const here = import.meta.url;\n"}, "cannot be joined"),
    ],
)
def test_what_cannot_be_joined_is_refused(modules: dict[str, str], words: str) -> None:
    with pytest.raises(GymboardError, match=re.escape(words)):
        joined(modules)


def test_two_modules_cannot_declare_the_same_name() -> None:
    from minify import MinifyError

    with pytest.raises(MinifyError, match="already been declared"):
        shrunk("text/javascript", joined({"a": "const same = 1;\n", "b": "const same = 2;\n"}))


def test_the_site_has_one_script_of_ours_and_it_is_small(committed_site: Path) -> None:
    scripts = [*(committed_site / "assets").glob("*.js"), *(committed_site / "assets" / "js").glob("*.js")]
    assert [script.name for script in scripts] == ["gymboard.js"]
    assert len(gzip.compress(scripts[0].read_bytes())) <= OWN
    names = {path.stem for path in MODULES.glob("*.js")}
    imported = {name for path in MODULES.glob("*.js") for name in re.findall(r'from "\./(\w+)\.js"', path.read_text())}
    assert imported <= names
    for page in committed_site.rglob("*.html"):
        assert page.read_text(encoding="utf-8").count("assets/gymboard.js") == 1, page
