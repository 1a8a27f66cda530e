"""The command as a program that others call: exit codes, one clear block for an error, help that names an example."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    ["run"],
    ["runs", "list"],
    ["runs", "show"],
    ["runs", "clean"],
    ["pack"],
    ["sign"],
    ["verify"],
    ["check"],
    ["fetch"],
    ["regrade"],
    ["fetch"],
    ["challenge"],
    ["countersign"],
    ["rank"],
    ["comment"],
    ["replay"],
    ["export"],
    ["submit"],
    ["mirror"],
    ["import", "mlgym"],
    ["import", "episode"],
    ["import", "regrade-paper"],
    ["season", "propose"],
    ["season", "show"],
    ["site", "build"],
    ["site", "serve"],
    ["tasks", "list"],
    ["tasks", "show"],
    ["tasks", "check"],
    ["tasks", "new"],
    ["data", "prepare"],
    ["data", "list"],
    ["data", "verify"],
    ["images", "build"],
    ["images", "pull"],
    ["images", "list"],
    ["doctor"],
    ["ledger", "include"],
    ["ledger", "regrade"],
    ["ledger", "replay"],
    ["ledger", "verify"],
    ["ledger", "show"],
    ["ledger", "downgrade"],
    ["ledger", "remove"],
    ["ledger", "revoke"],
    ["ledger", "reproduce"],
    ["ledger", "signer"],
    ["ledger", "waiting"],
    ["ledger", "recall"],
    ["ledger", "settle"],
    ["ledger", "mirror"],
    ["demo"],
    ["watch"],
)


def gymboard(*words: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "gymboard", *words], env=env, capture_output=True, text=True, check=False
    )


@cache
def help_of(*words: str) -> subprocess.CompletedProcess[str]:
    return gymboard(*words, "--help")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    shown = help_of(*words)
    assert shown.returncode == 0
    assert f"gymboard {' '.join(words)}" in shown.stdout.split("Example", 1)[1], "no example of the command itself"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tasks", "show", "colonel-bloto"], 2, "Did you mean colonel-blotto?"),
        (["run", "--agent", "replay"], 2, "--from"),
        (["run", "--profile", "huge"], 2, "official"),
        (["run", "--tasks", "battle-of-sexes", "--starter", "buggy"], 2, "it has baseline, none"),
        (["tasks", "show", "house-price", "--dataset", "boston"], 2, "it has default, multiplicative"),
        (["tasks", "check", "--all", "house-price"], 2, "say one of them"),
        (["tasks", "new", "house-price", "--kind", "play"], 2, "already there"),
        (["verify", "nowhere", "--signers", "nowhere"], 2, "nowhere"),
        (["rank", "--submissions", "nowhere"], 2, "nowhere"),
        (["season", "show", "season-99"], 2, "season-0"),
        (["season", "propose", "--name", "season-0"], 2, "season-0 is there already"),
        (["season", "propose", "--submissions", "nowhere"], 2, "nowhere"),
        (["season", "propose", "--out", "README.md"], 2, "README.md is there already"),
        (["pack", "nowhere", "out", "--submitter", "local"], 2, "nowhere"),
        (["pack", ".", "out", "--submitter", "local"], 2, "no run.json in ."),
        (["pack", "nowhere", "My Entry", "--submitter", "local"], 2, "lower-case words joined by -"),
        (["pack", "nowhere", "out", "--submitter", "ada"], 2, "github:<your numeric id>"),
        (["pack", "nowhere", "out", "--submitter", "local", "--location", "http://a.org"], 2, "over https only"),
        (["pack", "nowhere", "out", "--submitter", "local", "--url", "a.org"], 2, "is no https address, for --url"),
        (["run", "--run", "../../x"], 2, "cannot name a run"),
        (["run", "--jobs", "many"], 2, "--jobs takes auto or a number"),
        (["run", "--only", "mnli/seed-4"], 2, "no such episode"),
        (["run", "--agent", "react", "--cost-limit", "inf"], 2, "finite number"),
        (["runs", "show", "nothing"], 2, "there is no run nothing"),
        (["runs", "clean", "../harness", "--yes"], 2, "no name of a run"),
        (["runs", "list", "--runs", "nowhere"], 2, "there is no folder nowhere"),
        (["run", "--gpus", "many"], 2, "--gpus takes all, none or a number"),
        (["run", "--profile", "smoke", "--gpus", "1", "--sandbox", "local"], 2, "--gpus none"),
        (["images", "pull", "torch"], 1, "none is published yet"),
        (["images", "pull", "gpu"], 1, "the families of tasks/images are"),
        (["run", "--profile", "smoke", "--sandbox", "local", "--runs", "/dev/null"], 2, "is no folder; keep runs else"),
        (["run", "--sandbox", "local", "--log", "/dev/null/log"], 2, "--log /dev/null/log: nothing can be written"),
        (["run", "--agent", "react", "--model", "openai/m", "--api-base", "here"], 2, "'here' is no address"),
        (["run", "--tasks-root", "/dev/null"], 2, "/dev/null holds no task"),
        (["regrade", "."], 2, "--signers is missing"),
        (["ledger", "show", "nobody"], 2, "says nothing of"),
        (["ledger", "remove", "nobody", "--reason", "none"], 2, "includes no entry"),
        (["sign", "nowhere", "--key", "nowhere"], 2, "nowhere"),
        (["import", "mlgym", "nowhere"], 1, "no such folder"),
    ],
)
def test_a_wrong_call_is_one_clear_block(words: list[str], code: int, said: str) -> None:
    ended = gymboard(*words)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def commands_in_documents() -> list[tuple[str, str]]:
    """(file, command) of every gymboard call that a document shows."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "site" / "docs").glob("*.md")]
    found = []
    for file in documents:
        for line in file.read_text().splitlines():
            match = re.match(r"\s*(?:\$ )?gymboard ([a-z][^#|]*)$", line)
            if match and "   " not in match[1].strip():  # the README's diagram explains a command behind it
                found.append((file.name, match[1].strip()))
    return found


@pytest.mark.parametrize(("file", "command"), commands_in_documents())
def test_documents_show_commands_that_there_are(file: str, command: str) -> None:
    words = command.split()
    path = [*itertools.takewhile(lambda word: re.fullmatch(r"[a-z]+", word), words)]
    known = [list(known) for known in COMMANDS]
    path = next(path[:length] for length in range(len(path), 0, -1) if path[:length] in known)
    shown = help_of(*path).stdout
    missing = [word for word in words if word.startswith("--") and f"{word} " not in shown]
    assert not missing, f"{file}: gymboard {' '.join(path)} has no {', '.join(missing)}"


def test_a_task_folder_with_a_missing_field_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "colonel-blotto"
    folder.mkdir()
    text = (ROOT / "tasks" / "colonel-blotto" / "task.toml").read_text()
    (folder / "task.toml").write_text(text.replace('upstream_id = "blotto"\n', ""))
    ended = gymboard("tasks", "list", "--tasks-root", str(tmp_path))
    assert ended.returncode == 1
    assert "error: upstream_id: Field required" in ended.stderr


def test_importing_the_command_loads_nothing_heavy() -> None:
    heavy = "{'docker', 'polars', 'duckdb', 'numpy', 'pydantic', 'litellm', 'mkdocs', 'altair'}"
    code = f"import sys, gymboard; print(sorted({heavy} & set(sys.modules)))"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    loaded = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_only_the_called_command_is_prepared_and_nothing_is_hidden_from_who_mistypes() -> None:
    from gymboard import app, called

    def names(*words: str) -> list[str]:
        only = called(words)
        return [one.callback.__name__ for one in only.registered_commands if one.callback] + [
            str(one.name) for one in only.registered_groups
        ]

    assert names("rank", "--format", "json") == ["rank"]
    assert names("tasks", "list") == ["tasks"]
    assert names("tsaks") == names("--help") == names()
    assert set(names()) == {words[0] for words in COMMANDS}
    assert len(app.registered_commands) > 1, "the app itself keeps everything"


@pytest.mark.parametrize(
    "words",
    [["season", "show"], ["rank", "--reading", "live", "--explain", "gpt-4o-mlgym"], ["rank", "--format", "json"]],
)
def test_nothing_is_complained_about_at_the_end(words: list[str]) -> None:
    """DuckDB's binding writes to standard error about objects that outlive it."""
    done = gymboard(*words)
    assert (done.returncode, done.stderr) == (0, "")
