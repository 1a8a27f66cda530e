"""A run folder that somebody made to hurt whoever looks at it or removes it: it is told as what it is, and no more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.runs import app
from harness.runs.show import EpisodeState, episodes
from harness.runs.survey import MOST_EPISODES, MOST_FOLDERS, look, survey
from harness.runs.timings import NONE
from harness.schema.base import canonical_bytes
from harness.schema.run import RunManifest
from tests.harness.runs.told import gymboard
from tests.harness.sign.builder import write_run, write_tasks

KEY = "tiny-play/seed-0"
HUGE = 1 << 40
"""Bytes of a file that takes no room: what reads it whole dies."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "runs" / "tiny-run", tasks_sha256={"tiny-predictions": "0" * 64, "tiny-play": "0" * 64})


def huge(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.touch()
    os.truncate(file, HUGE)


def pipe(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.mkfifo(file)


def link(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.symlink_to("/dev/zero")


def binary(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 100 + b"\n")


SPOILS: tuple[Callable[[Path], None], ...] = (huge, pipe, link, binary)


def bounded(runs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own that may hold 2 GiB; it ends by itself, whatever is in the folder."""
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31)); "
    call = [
        sys.executable,
        "-c",
        limited + "sys.argv[0] = 'gymboard'; runpy.run_module('gymboard', run_name='__main__')",
    ]
    return subprocess.run(
        [*call, "runs", *words, "--runs", str(runs)], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("spoil", SPOILS)
def test_no_file_of_an_episode_can_hold_or_kill_who_looks(
    run: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """The log decides nothing; where a record is spoiled, that episode is damaged and no other."""
    tasks, manifest = write_tasks(tmp_path / "tasks"), RunManifest.from_json((run / "run.json").read_bytes())

    def states() -> dict[str, EpisodeState]:
        return {one.key: one for one in episodes(run, manifest, tasks)}

    spoil(run / KEY / "events.jsonl")
    there = states()[KEY]
    assert (there.state, there.timings, there.score) == ("done", NONE, 2.5)
    whole = (run / KEY / "episode.json").rename(tmp_path / "whole")
    for name in ("steps.jsonl", "calls.jsonl", "episode.json"):
        spoil(run / KEY / name)
        found = states()
        assert found[KEY].state == "damaged" and name in found[KEY].detail
        assert found["tiny-play/seed-1"].state == "done", "it costs no other episode its line"
        (run / KEY / name).unlink()
    whole.rename(run / KEY / "episode.json")
    assert states()[KEY].state == "done"


def test_no_file_of_a_run_can_hold_or_kill_who_lists_and_cleans(run: Path) -> None:
    runs = run.parent
    for number, spoil in enumerate(SPOILS):
        for name in ("run.json", "spending.jsonl", f"{KEY}/episode.json"):
            other = runs / f"other-{number}-{name[0]}"
            shutil.copytree(run, other)
            tree = json.loads((other / "run.json").read_bytes()) | {"run": other.name}
            (other / "run.json").write_bytes(canonical_bytes(tree))
            spoil(other / name)
    (runs / "other-0-t" / "seen").touch()
    before = {path for path in runs.rglob("*") if "other-" in str(path) and "-t" not in str(path)}
    for words in (("list",), ("show", "other-0-t"), ("show", "other-0-r"), ("clean", "--yes")):
        done = bounded(runs, *words)
        assert "Traceback" not in done.stderr and done.returncode == (2 if words[-1] == "other-0-r" else 0), done.stderr
    left = {path.name for path in runs.iterdir()}
    assert left == {f"other-{number}-{letter}" for number in range(len(SPOILS)) for letter in "rs"}
    assert before == set(runs.rglob("*")), "what is no run stays whole"


def test_a_record_that_lies_elsewhere_is_not_read(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    (run / "tiny-play").rename(outside)
    (run / "tiny-play").symlink_to(outside)
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    assert look(run).done == 2
    states = {one.key: one for one in episodes(run, manifest, tmp_path)}
    assert states[KEY].state == "damaged" and "tiny-play is a link" in states[KEY].detail
    CliRunner().invoke(app, ["clean", "tiny-run", "--yes", "--runs", str(run.parent)], catch_exceptions=False)
    assert not run.exists() and (outside / "seed-0" / "episode.json").is_file()


def test_events_of_no_day_and_of_every_order(run: Path, tmp_path: Path) -> None:
    line = {"event": "episode-begun", "pid": 1, "time": "2026-11-21T10:00:00.000000Z"}
    end = line | {"event": "episode", "time": "1999-01-01T00:00:00.000000Z", "duration_s": 0.0}
    model = line | {"event": "model", "duration_s": 1e18, "facts": {"what": "\x1b[2J"}}
    bad = [
        line | {"time": "2026-13-41T25:61:61.000000Z"},
        line | {"time": "2026-02-30T10:00:00.000000Z"},
        {"event": []},
    ]
    lines = [*bad, line, model, end, *bad]
    (run / KEY / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    spent = {one.key: one.timings for one in episodes(run, manifest, tmp_path)}[KEY]
    assert spent.lives == 1 and spent.total_s == 0.0 and all(seconds >= 0 for seconds in spent.phases.values())
    words = ["show", "tiny-run", "--runs", str(run.parent)]
    assert "\x1b" not in CliRunner().invoke(app, words, catch_exceptions=False).output


def test_an_empty_folder_of_runs_says_that_it_is_empty(tmp_path: Path) -> None:
    for words, said in ((["list"], "no run in"), (["clean"], "0 B in 0 run(s)"), (["list", "--json"], "[]")):
        done = CliRunner().invoke(app, [*words, "--runs", str(tmp_path)], catch_exceptions=False)
        assert done.exit_code == 0 and done.output.startswith(said)


def test_a_run_json_of_too_many_episodes_is_no_run(run: Path) -> None:
    tree = json.loads((run / "run.json").read_bytes())
    tree["tasks"], tree["seeds"] = [f"task-{number}" for number in range(1000)], list(range(1000))
    (run / "run.json").write_bytes(canonical_bytes(tree))
    assert f"{MOST_EPISODES:,} are looked at" in look(run).fault


def test_folders_in_one_another_are_counted_and_not_followed_for_ever(run: Path) -> None:
    """Deeper than a function may call itself, and not yet as deep as the kernel takes a path."""
    place = os.open(run, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        deeper = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(place)
    assert f"more than {MOST_FOLDERS} folders" in look(run).fault
    said = CliRunner().invoke(app, ["clean", "--yes", "--runs", str(run.parent)], catch_exceptions=False).output
    assert "left:" in said and (run / "run.json").is_file()
    subprocess.run(["rm", "-r", run], check=True)


def test_somebody_elses_folder_of_logs_is_no_run_that_never_began(run: Path) -> None:
    """Only a lock, which is empty, and the one log that a run begins with are a run's."""
    runs = run.parent
    for name, file in (("mine", "logs/thesis.tex"), ("theirs", ".locks/notes"), ("deeper", "logs/run.jsonl/x")):
        (runs / name / file).parent.mkdir(parents=True)
        (runs / name / file).write_text("years of work")
    (runs / "linked" / "logs").mkdir(parents=True)
    (runs / "linked" / "logs" / "run.jsonl").symlink_to(run / "run.json")
    CliRunner().invoke(app, ["clean", "--yes", "--runs", str(runs)], catch_exceptions=False)
    assert {one.name for one in survey(runs)} == {"mine", "theirs", "deeper", "linked"}
    assert (runs / "mine" / "logs" / "thesis.tex").read_text() == "years of work"


def test_names_drive_no_terminal_also_in_json(run: Path) -> None:
    names = ["\x1b[2Jescape", "\x9b2Jcontrol", "\u202egnp.exe", "new\nline", "\udcff\udcfebytes", "n" * 255]
    for name in names:
        (run.parent / name).mkdir()
    for words in (("list",), ("clean", "--json")):
        done = gymboard("runs", *words, "--runs", str(run.parent), cwd=run.parent.parent)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        assert not set(done.stdout) & set("\x1b\x9b\u202e")
        if "--json" in words:
            assert set(json.loads(done.stdout)["left"]) == set(names)
    done = gymboard("runs", "show", "n" * 300, "--runs", str(run.parent), cwd=run.parent.parent)
    assert done.returncode in (1, 2) and done.stderr.startswith("gymboard: ")
