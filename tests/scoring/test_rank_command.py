"""`gymboard rank` as people and programs call it, in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scoring.builder import GOOD, everywhere, run_bundle
from tests.scoring.conftest import COMMITTED, Enter

ROOT = COMMITTED.parent


def gymboard(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "gymboard.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )


def test_table() -> None:
    done = gymboard("rank", "--reading", "live")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "tau_max 1.2" in lines[0]
    assert lines[2].startswith("1 (1-2)  OpenAI o1-preview")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("output", ["json", "csv", "table"])
def test_the_same_bytes_whatever_the_hash_seed(output: str) -> None:
    said = {
        gymboard("rank", "--reading", "live", "--format", output, PYTHONHASHSEED=seed).stdout
        for seed in ("0", "1", "7")
    }
    assert len(said) == 1
    assert len(said.pop()) > 500


def test_json_and_csv_agree() -> None:
    arguments = ("rank", "--reading", "mlgym-compat", "--column", "best", "--format")
    board = json.loads(gymboard(*arguments, "json").stdout)["boards"][0]
    lines = list(csv.DictReader(io.StringIO(gymboard(*arguments, "csv").stdout)))
    aup = {row["entry"]: row["aup"] for row in board["rows"]}
    assert {line["entry"]: float(line["aup"]) for line in lines} == aup
    assert lines[-1]["cost_usd"] == ""


def test_explain() -> None:
    done = gymboard("rank", "--reading", "live", "--column", "best", "--explain", "claude-3-5-sonnet-mlgym")
    assert "Language modelling" in done.stdout
    assert "rewritten" in done.stdout
    wrong = gymboard("rank", "--reading", "live", "--explain", "claude-3-5-sonet-mlgym")
    assert wrong.returncode == 2
    assert "Did you mean claude-3-5-sonnet-mlgym?" in wrong.stderr


def test_with_a_preview(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(run_bundle("mine", everywhere(GOOD)).canonical())
    done = gymboard("rank", "--reading", "live", "--with", str(tmp_path))
    assert "Preview: mine beside published results" in done.stdout
    assert "claimed by the run itself" in done.stdout
    assert "warning" not in done.stderr
    refused = gymboard("rank", "--reading", "mlgym-compat", "--with", str(tmp_path))
    assert refused.returncode == 2
    assert "--reading live" in refused.stderr


def test_a_hostile_name_prints_as_text(submissions: Path, enter: Enter) -> None:
    enter("hostile", everywhere(GOOD), model="=cmd|'[red]text[/]")
    table = gymboard("rank", "--submissions", str(submissions))
    assert "=cmd|'[red]text[/]" in table.stdout
    assert "\x1b" not in table.stdout
    lines = csv.DictReader(io.StringIO(gymboard("rank", "--submissions", str(submissions), "--format", "csv").stdout))
    assert next(iter(lines))["label"].startswith("'=")


def test_rejections_go_to_standard_error(submissions: Path) -> None:
    (submissions / "broken").mkdir()
    done = gymboard("rank", "--submissions", str(submissions))
    assert done.returncode == 1, "the board is made of the rest, and the exit code tells"
    assert "The board" in done.stdout
    assert "warning: broken: bundle.json is missing" in done.stderr
    assert gymboard("rank", "--submissions", str(submissions / "nowhere")).returncode == 2


def test_fewer_tasks_and_levels_say_so(submissions: Path, enter: Enter) -> None:
    enter("honest", everywhere(GOOD))
    arguments = ("rank", "--submissions", str(submissions), "--tasks")
    board = json.loads(gymboard(*arguments, "house-price, colonel-blotto", "--format", "json").stdout)["boards"][0]
    assert {task["task"] for task in board["tasks"]} == {"house-price", "colonel-blotto"}
    assert "not the board's own ranking" in board["caveats"][0]
    wrong = gymboard(*arguments, "house-prices")
    assert wrong.returncode == 2
    assert "this board has no task house-prices" in wrong.stderr
    replayed = gymboard("rank", "--submissions", str(submissions), "--level", "replayed", "--format", "json")
    assert [row["entry"] for row in json.loads(replayed.stdout)["boards"][0]["rows"]] == ["baseline"]
    assert gymboard("rank", "--level", "gold").returncode == 2


def test_explain_names_a_score_that_gains_the_rank(submissions: Path, enter: Enter) -> None:
    enter("first", everywhere({**GOOD, "house-price": 0.93}))
    enter("second", everywhere(GOOD))
    arguments = ("rank", "--submissions", str(submissions), "--explain", "second", "--format", "json")
    board = json.loads(gymboard(*arguments).stdout)["boards"][0]
    assert board["next_rank"]["rival"] == "first"
    needed = {line["task"]: line["needed"] for line in board["explained"]}
    assert needed["house-price"] == pytest.approx(0.93, abs=1e-6)
    for task in ("colonel-blotto", "prisoners-dilemma", "three-sat"):
        enter(f"better-{task}", everywhere({**GOOD, task: needed[task]}))
    ranks = json.loads(gymboard("rank", "--submissions", str(submissions), "--format", "json").stdout)["boards"][0]
    places = {row["entry"]: row["rank"] for row in ranks["rows"]}
    assert all(places[f"better-{task}"] < places["first"] for task in ("colonel-blotto", "three-sat"))


def test_the_cheapest_that_is_good_enough() -> None:
    done = gymboard("rank", "--reading", "live", "--at-least", "1.0")
    assert "The cheapest with an AUP of at least 1 is" in done.stdout
    assert "No ranked entry" in gymboard("rank", "--reading", "live", "--at-least", "9").stdout


def test_the_table_says_who_beats_plain_search(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("quick", everywhere(GOOD))
    season = (ROOT / "scoring" / "seasons" / "season-1.toml").read_text(encoding="utf-8")
    arguments = ("rank", "--submissions", str(submissions), "--season")
    season = re.sub(r"tuner_value = .+\n", "", season)
    (tmp_path / "searched.toml").write_text(
        season.replace('id = "mnli"\n', 'id = "mnli"\ntuner_value = 0.7\n'), encoding="utf-8"
    )
    [head, row] = gymboard(*arguments, str(tmp_path / "searched.toml")).stdout.splitlines()[1:3]
    assert "beats search" in head
    assert " 1/1 " in row


def test_a_preview_that_lies_among_the_entries_is_not_warned_of(tmp_path: Path) -> None:
    """Where `gymboard submit` expects it. Another one that is not included still is, and costs the exit code."""
    board = tmp_path / "submissions"
    for name in ("mine", "other"):
        (board / name).mkdir(parents=True)
        (board / name / "bundle.json").write_bytes(run_bundle(name, everywhere(GOOD)).canonical())
    words = ("rank", "--submissions", str(board), "--with", str(board / "mine"))
    done = gymboard(*words)
    assert done.returncode == 1
    assert "warning: other: " in done.stderr and "warning: mine" not in done.stderr
    (board / "other" / "bundle.json").unlink()
    (board / "other").rmdir()
    assert gymboard(*words).returncode == 0
