"""`gymboard runs`: what is said of every kind of thing under runs/, and that nothing goes which may not go."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.runs import app
from harness.errors import UsageError
from harness.runner.locks import GLANCE_S, LOCKS, RUN, clear_locks, episode_lock, held, run_lock
from harness.runs import clean
from harness.runs.clean import going, remove
from harness.runs.held import run_held
from harness.runs.show import episodes
from harness.runs.survey import GONE, FoundRun, look, survey
from harness.schema.run import RunManifest
from tests.conftest import lacking
from tests.harness.executors.side import until
from tests.harness.sign.builder import write_run, write_tasks

SPENT = [
    {"kind": "reserve", "id": "tiny-play/seed-0#0", "usd": 0.5},
    {"kind": "settle", "id": "tiny-play/seed-0#0", "usd": 0.125},
    {"kind": "reserve", "id": "tiny-play/seed-1#0", "usd": 0.25},
]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A whole run, tiny-run; and beside it what is none."""
    runs = tmp_path / "runs"
    run = write_run(runs / "tiny-run", tasks_sha256={"tiny-predictions": "0" * 64, "tiny-play": "0" * 64})
    lines = [{**line, "time": "2026-11-21T10:00:00Z", "request_sha256": "0" * 64} for line in SPENT]
    (run / "spending.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"torn')
    (run / "logs").mkdir()
    (run / "logs" / "run.jsonl").write_text("{}\n")
    (runs / "mine").mkdir()
    (runs / "mine" / "thesis.tex").write_text("years of work")
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    shutil.copytree(run, runs / "copied")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    shutil.copy(run / "run.json", tmp_path / "elsewhere" / "run.json")
    (runs / "linked").symlink_to(tmp_path / "elsewhere")
    (runs / "notes.txt").write_text("a file")
    (runs / "\x1b[2Jname").mkdir()
    return runs


def named(runs: Path) -> dict[str, FoundRun]:
    return {one.name: one for one in survey(runs)}


def test_everything_is_named_for_what_it_is(runs: Path) -> None:
    found = named(runs)
    assert {name for name, one in found.items() if not one.fault} == {"tiny-run"}
    for name, why in (
        ("mine", "holds no run.json"),
        ("broken", "run.json"),
        ("copied", "of a run called tiny-run"),
        ("linked", "is a link"),
        ("notes.txt", "is no folder"),
    ):
        assert why in found[name].fault, name
    tiny = found["tiny-run"]
    assert (tiny.done, tiny.total, tiny.running) == (4, 4, False)
    assert tiny.spent_usd == pytest.approx(0.125 + 0.25), "a call in flight counts as the most it can cost"
    assert tiny.bytes == sum(file.stat().st_size for file in (runs / "tiny-run").rglob("*") if file.is_file())


def listed(runs: Path, *words: str) -> Any:
    return json.loads(called(*words, "--json", runs=runs))


def called(*words: str, runs: Path) -> str:
    """What `gymboard runs` prints; what it refuses is raised."""
    ended = CliRunner().invoke(app, [*words, "--runs", str(runs)], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return str(ended.output)


def test_who_is_at_work_is_seen_and_left(runs: Path) -> None:
    """A driver alone; processes with episodes of their own; and nobody's lock is taken from him by looking."""
    run = runs / "tiny-run"
    shutil.rmtree(run / "tiny-play" / "seed-1")
    (run / "tiny-predictions" / "seed-1" / "episode.json").unlink()
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    for shared in (False, True):
        with run_lock(run, shared=shared), episode_lock(run, "tiny-predictions/seed-1"):
            found = look(run)
            assert found.running and found.done == 2
            with pytest.raises(UsageError, match="at work"):
                going(found, keep_artifacts=False)
            with pytest.raises(UsageError, match="at work"):
                remove(FoundRun(**{**vars(found), "running": False}), keep_artifacts=False)
            states = {state.key: state.state for state in episodes(run, manifest, runs)}
            assert states == {
                "tiny-predictions/seed-0": "done",
                "tiny-predictions/seed-1": "running",
                "tiny-play/seed-0": "done",
                "tiny-play/seed-1": "waiting",
            }
            with pytest.raises(UsageError, match="another process"), run_lock(run):
                pass
    found = look(run)
    assert not found.running
    with episode_lock(run, "tiny-predictions/seed-1"):
        assert look(run).running, "a worker whose driver has died"
        with pytest.raises(UsageError, match="at work"):
            remove(found, keep_artifacts=False)
    assert {state.state for state in episodes(run, manifest, runs)} == {"done", "unfinished", "waiting"}


def test_show_reads_scores_as_the_task_ranks_them_and_says_what_is_damaged(runs: Path, tmp_path: Path) -> None:
    run, tasks = runs / "tiny-run", write_tasks(tmp_path / "tasks")
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    (run / "tiny-play" / "seed-1" / "episode.json").write_text('{"task": 1}')
    states = {state.key: state for state in episodes(run, manifest, tasks)}
    assert states["tiny-play/seed-1"].state == "damaged" and "episode.json" in states["tiny-play/seed-1"].detail
    for key, metric in (("tiny-play/seed-0", "score"), ("tiny-predictions/seed-0", "rmse")):
        record = json.loads((run / key / "episode.json").read_text())
        sealed = (record["attempts"][-1].get("sealed") or {}).get("metrics", {})
        assert states[key].score == sealed.get(metric) and states[key].steps == record["steps"]
        assert states[key].timings.total_s == 0.0, "a run that told no events claims no time"
    assert any(state.score is not None for state in states.values())
    assert all(state.score is None for state in episodes(run, manifest, tmp_path)), "no task, no score"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_clean_says_and_does_nothing_until_told(runs: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    said = listed(runs, "clean")
    assert tree(tmp_path) == before
    size = sum(len(data) for name, data in before.items() if name.startswith("runs/tiny-run/"))
    assert (said["removed"], said["bytes"], [one["run"] for one in said["runs"]]) == (False, size, ["tiny-run"])
    assert set(said["left"]) == {"mine", "broken", "copied", "linked", "notes.txt", "\x1b[2Jname"}
    plain = called("clean", runs=runs)
    assert "would remove" in plain and "nothing is removed without --yes" in plain
    assert "\x1b" not in plain and "is a link" in plain
    shown = called("list", runs=runs)
    assert "\x1b" not in shown and "tiny-run" in shown and "no run: mine: holds no run.json" in shown
    done = listed(runs, "clean", "--yes")
    assert done == said | {"removed": True}
    left = {name: data for name, data in before.items() if not name.startswith("runs/tiny-run/")}
    assert tree(tmp_path) == left and not (runs / "tiny-run").exists()


def test_a_link_inside_a_run_goes_and_what_it_leads_to_stays(runs: Path, tmp_path: Path) -> None:
    run, outside = runs / "tiny-run", tmp_path / "elsewhere"
    for keep in (True, False):
        (run / "tiny-play" / "seed-0" / "attempts" / "link").symlink_to(outside)
        (run / "outside").symlink_to(outside)
        (run / "file").symlink_to(outside / "kept")
        (run / "pipe").unlink(missing_ok=True)
        os.mkfifo(run / "pipe")
        remove(look(run), keep_artifacts=keep)
        assert (outside / "kept").read_text() == "kept" and (outside / "run.json").is_file()
    assert not run.exists()


def test_artifacts_and_grades_can_be_kept(runs: Path) -> None:
    run = runs / "tiny-run"
    unfinished = run / "tiny-play" / "seed-1.unfinished-1" / "attempts" / "0"
    unfinished.mkdir(parents=True)
    (unfinished / "strategy.py").write_text("pass")
    before = tree(run)
    kept = {
        name: data
        for name, data in before.items()
        if name in ("run.json", "spending.jsonl") or name.endswith("/episode.json") or "/attempts/" in name
    }
    said = listed(runs, "clean", "tiny-run", "--keep-artifacts", "--yes")
    assert tree(run) == kept and any("/attempts/" in name for name in kept)
    assert said["bytes"] == sum(map(len, before.values())) - sum(map(len, kept.values()))
    assert listed(runs, "clean", "tiny-run", "--keep-artifacts")["runs"][0]["files"] == 0
    assert look(run).done == 4


def test_a_folder_that_becomes_a_link_while_the_run_is_cleaned(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every moment of it: nothing goes where the link leads to, and no process begins in a half-cleaned run."""
    whole, elsewhere = tmp_path / "whole", tmp_path / "elsewhere"
    shutil.copytree(runs / "tiny-run", whole)
    shutil.copytree(runs / "tiny-run", elsewhere, dirs_exist_ok=True)
    before, asked, run = tree(elsewhere), 0, runs / "tiny-run"

    def swapping(at: int) -> Callable[..., bool]:
        def kept(*words: Any) -> bool:
            nonlocal asked
            asked += 1
            assert run_held(run) or asked <= len(before)
            if asked == at:
                (run / "tiny-play").rename(tmp_path / f"away-{at}")
                (run / "tiny-play").symlink_to(elsewhere / "tiny-play")
            return honest(*words)

        return kept

    honest = clean._kept
    for at in (*range(1, 3 * len(before), 4), 0):
        shutil.rmtree(run)
        shutil.copytree(whole, run)
        asked = 0
        monkeypatch.setattr(clean, "_kept", swapping(at))
        with suppress(UsageError, OSError):
            remove(look(run), keep_artifacts=True)
        assert tree(elsewhere) == before, at
    assert 2 * len(before) < asked <= 3 * len(before), "every moment was tried"


@pytest.mark.parametrize("name", ["mine", "broken", "copied", "linked", "notes.txt", "..", "../elsewhere", "", "gone"])
def test_a_name_that_may_not_go_is_refused(name: str, runs: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    with pytest.raises(UsageError):
        called("clean", name, "--yes", runs=runs)
    assert tree(tmp_path) == before and (runs / "linked").is_symlink()


def test_what_a_killed_clean_left_goes_with_the_next(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", killed)
        remove(look(runs / "tiny-run"), keep_artifacts=False)
    (left,) = [one for one in survey(runs) if one.name.startswith(GONE)]
    assert left.fault and not (runs / "tiny-run").exists(), "no half of a run is there under its name"
    done = listed(runs, "clean", "--yes")
    assert [one["run"] for one in done["runs"]] == [left.name] and not left.folder.exists()


def test_another_file_system_in_a_run_is_never_emptied(runs: Path) -> None:
    disk = runs / "tiny-run" / "tiny-play" / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True, check=False).returncode:
        lacking("a disk", "one can be mounted by root only")
    try:
        (disk / "kept").write_text("kept")
        for keep in ("--yes", "--keep-artifacts"):
            with pytest.raises(UsageError, match="holds another file system"):
                called("clean", "tiny-run", "--yes", keep, runs=runs)
        assert (disk / "kept").exists() and (runs / "tiny-run" / "run.json").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_run_that_never_began_can_go(runs: Path) -> None:
    """Refused after its log was opened; a folder with anything else in it is not ours to remove."""
    for name in ("refused", "not-only"):
        (runs / name / "logs").mkdir(parents=True)
        (runs / name / "logs" / "run.jsonl").write_text("{}\n")
    (runs / "not-only" / "mine").touch()
    (runs / "empty").mkdir()
    assert "never began" in look(runs / "refused").fault
    said = listed(runs, "clean", "--keep-artifacts")
    assert [one["run"] for one in said["runs"]] == ["refused", "tiny-run"] and {"not-only", "empty"} <= set(
        said["left"]
    )
    with run_lock(runs / "refused"), pytest.raises(UsageError, match="at work"):
        called("clean", "refused", "--yes", runs=runs)
    listed(runs, "clean", "refused", "--yes")
    assert not (runs / "refused").exists() and (runs / "not-only" / "logs" / "run.jsonl").exists()


def test_a_run_that_begins_while_it_is_cleaned_stays(runs: Path) -> None:
    """The lock is asked for again when it is removed, not only when it was listed."""
    found = look(runs / "tiny-run")
    with run_lock(runs / "tiny-run"):
        before = tree(runs / "tiny-run")
        with pytest.raises(UsageError, match="at work"):
            remove(found, keep_artifacts=False)
    assert tree(runs / "tiny-run") == before
    with run_lock(runs / "mine"):
        assert "one is being begun there" in look(runs / "mine").fault


def test_who_only_looks_refuses_nobody(runs: Path) -> None:
    """A look holds a lock for some microseconds: a run, an episode, a clean that begin in one of them wait for it."""
    run, over = runs / "tiny-run", threading.Event()
    with run_lock(run), episode_lock(run, "tiny-play/seed-0"):
        pass

    def look_on() -> None:
        while not over.wait(0.0005):
            run_held(run)

    looker = threading.Thread(target=look_on)
    looker.start()
    try:
        for _ in range(500):
            with run_lock(run), episode_lock(run, "tiny-play/seed-0", wait_s=GLANCE_S):
                pass
            with run_lock(run, shared=True):
                pass
    finally:
        over.set()
        looker.join()


def test_a_lock_that_was_removed_while_it_was_waited_for_is_none(runs: Path) -> None:
    """The holder's run is whole and its locks are cleared: who waited has the lock that others find."""
    run = runs / "tiny-run"
    file, refused = run / LOCKS / RUN, list[bool]()

    def wait_for_it() -> None:
        with held(file, fcntl.LOCK_EX, wait_s=60.0) as mine, held(file, fcntl.LOCK_EX) as another:
            refused.append(mine and not another)

    with run_lock(run):
        waits = threading.Thread(target=wait_for_it)
        waits.start()
        until(lambda: sum(os.path.realpath(link) == str(file) for link in Path("/proc/self/fd").iterdir()) == 2)
        clear_locks(run)
    waits.join()
    assert refused == [True]
