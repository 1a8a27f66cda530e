"""What `declares` means: one sentence a word, on the methodology page, in `gymboard check` and in `gymboard rank`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner

import gymboard
from harness.agents.command import command_agent
from harness.agents.react.settings import ReactSettings
from harness.schema.declares import MEANINGS, UNKNOWN, meaning
from tests.scoring.builder import GOOD, everywhere, run_bundle, write_entry

ROOT = Path(__file__).resolve().parents[3]


def test_the_methodology_page_has_every_sentence() -> None:
    page = (ROOT / "site" / "docs" / "methodology.md").read_text(encoding="utf-8")
    table = page.split("## Declared", 1)[1].split("[^", 1)[0]
    assert dict(re.findall(r"^\| ([a-z-]+) \| (.+) \|$", table, re.MULTILINE)) == {"word": "meaning", **MEANINGS}


def test_what_the_harness_declares_is_known_and_nothing_passes_for_it(tmp_path: Path) -> None:
    lines = [*command_agent("true", tmp_path, "openai/m").declares, *ReactSettings(window=3).declares]
    assert [line.partition(" ")[0] for line in lines] == ["command", "gateway", "program", "settings"]
    assert UNKNOWN not in map(meaning, lines)
    for line in ("settings", "gateway but better", "Gateway", "regraded", "", " gateway"):
        assert meaning(line) == UNKNOWN, line


def test_check_and_rank_say_it_in_words(tmp_path: Path) -> None:
    bundle = run_bundle("mine", everywhere(GOOD)).model_copy(update={"declares": ("gateway", "my own tool")})
    entry = write_entry(tmp_path / "mine", bundle, tmp_path / "keys")
    said = CliRunner().invoke(gymboard.app, ["check", str(entry)]).output
    assert f"declares: gateway: {MEANINGS['gateway']}" in said and f"my own tool: {UNKNOWN}" in said
    told = json.loads(CliRunner().invoke(gymboard.app, ["check", str(entry), "--json"]).output)
    assert told["declares"]["gateway"] == MEANINGS["gateway"]
    words = ["rank", "--submissions", str(ROOT / "submissions"), "--with", str(entry)]
    ranked = CliRunner(env={"COLUMNS": "300"}).invoke(gymboard.app, words).output
    assert " ".join(f"mine declares gateway: {MEANINGS['gateway']}".split()) in " ".join(ranked.split())
