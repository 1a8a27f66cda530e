"""Packing: the same run gives the same bytes, whole or not at all, and only from the run's own files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import harness.pack
from harness.archive import write_archive
from harness.errors import CheckError, UsageError, VerificationError
from harness.pack import pack
from harness.payload import part_name
from harness.verify import verify_contents
from tests.harness.executors.preloaded import preloaded
from tests.harness.sign.builder import ENTRY, SUBMITTER, Signed, contents, csv, verdict, write_episode, write_run

ROOT = Path(__file__).resolve().parents[3]


def listing(part: Path) -> list[str]:
    """What stock tar sees."""
    done = subprocess.run(["tar", "--zstd", "-tf", part], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.splitlines()


def test_best_and_final_and_logs_go_in_and_nothing_else(signed: Signed) -> None:
    names = listing(signed.folder / "tiny-play.tar.zst")
    assert names == [
        "tiny-play/seed-0/attempts/2/strategy.py",
        "tiny-play/seed-0/steps.jsonl",
        "tiny-play/seed-0/trajectory.json",
        "tiny-play/seed-0/workspace.patch",
        "tiny-play/seed-1/attempts/0/strategy.py",
        "tiny-play/seed-1/steps.jsonl",
        "tiny-play/seed-1/trajectory.json",
        "tiny-play/seed-1/workspace.patch",
    ]
    predictions = [name for name in listing(signed.folder / "tiny-predictions.tar.zst") if "attempts" in name]
    assert predictions == [
        "tiny-predictions/seed-0/attempts/0/out/submission.csv",
        "tiny-predictions/seed-0/attempts/1/out/submission.csv",
        "tiny-predictions/seed-1/attempts/0/out/submission.csv",
    ]


def test_best_follows_the_direction_of_the_metric(tmp_path: Path, tasks: Path) -> None:
    run = write_run(tmp_path / "run")
    worse, better = verdict("rmse", 0.9), verdict("rmse", 0.1)
    write_episode(run, "tiny-predictions", 1, [(csv(1), worse), (csv(2), better), (csv(3), worse), (csv(4), worse)])
    pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)
    names = [n for n in listing(tmp_path / "out" / "tiny-predictions.tar.zst") if "seed-1/attempts" in n]
    assert [name.split("/")[3] for name in names] == ["1", "3"]


def test_identical_bytes_whatever_the_clock_the_owner_and_the_hash_seed(tmp_path: Path, signed: Signed) -> None:
    for path in signed.run.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    script = (
        "import sys; from pathlib import Path; from harness.pack import pack\n"
        "from tests.harness.sign.builder import ENTRY, SUBMITTER\n"
        "pack(Path(sys.argv[1]), Path(sys.argv[2]), ENTRY, SUBMITTER, tasks=Path(sys.argv[3]))"
    )
    expected = {name: data for name, data in contents(signed.folder).items() if not name.endswith(".sig")}
    for seed in ("1", "4242"):
        out = tmp_path / f"again-{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"}
        command = [sys.executable, "-c", script, str(signed.run), str(out), str(signed.tasks)]
        subprocess.run(command, check=True, env=environment)
        assert contents(out) == expected


def test_a_missing_or_damaged_episode_is_named_every_one(tmp_path: Path, tasks: Path, run: Path) -> None:
    (run / "tiny-play/seed-1/episode.json").unlink()
    (run / "tiny-predictions/seed-0/episode.json").write_text('{"task": "tiny-predictions"}')
    with pytest.raises(CheckError) as caught:
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)
    text = str(caught.value)
    assert "tiny-play/seed-1/episode.json" in text and "did not finish" in text
    assert "tiny-predictions/seed-0/episode.json: seed" in text
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_an_episode_of_another_seed_does_not_pass_for_this_one(tmp_path: Path, tasks: Path, run: Path) -> None:
    (run / "tiny-play/seed-1/episode.json").write_bytes((run / "tiny-play/seed-0/episode.json").read_bytes())
    with pytest.raises(CheckError, match="is about tiny-play/seed-0"):
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)


@pytest.mark.parametrize("victim", ["steps.jsonl", "attempts/2/strategy.py", "attempts/2", "episode.json", "attempts"])
def test_links_are_refused_wherever_they_are(tmp_path: Path, tasks: Path, run: Path, victim: str) -> None:
    path = run / "tiny-play/seed-0" / victim
    moved = path.rename(tmp_path / "elsewhere")
    path.symlink_to(moved)
    with pytest.raises((UsageError, CheckError)):
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)
    assert not (tmp_path / "out").exists()


def test_a_pipe_among_the_artifacts_is_refused_and_does_not_hang(tmp_path: Path, tasks: Path, run: Path) -> None:
    os.mkfifo(run / "tiny-play/seed-0/attempts/2/pipe")
    with pytest.raises(UsageError, match="neither a regular file"):
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)
    (run / "tiny-play/seed-0/attempts/2/pipe").unlink()
    (run / "tiny-play/seed-0/steps.jsonl").unlink()
    os.mkfifo(run / "tiny-play/seed-0/steps.jsonl")
    with pytest.raises(UsageError, match="regular file"):
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)


@pytest.mark.parametrize("change", ["edit", "add"])
def test_an_artifact_that_is_not_what_was_graded_is_refused(
    tmp_path: Path, tasks: Path, run: Path, change: str
) -> None:
    folder = run / "tiny-play/seed-0/attempts/2"
    (folder / ("strategy.py" if change == "edit" else "more.py")).write_text("x = 1\n")
    with pytest.raises(VerificationError, match="artifact digest"):
        pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks)


def test_the_entry_must_be_about_the_agent_that_ran(tmp_path: Path, tasks: Path, run: Path) -> None:
    entry = ENTRY.model_copy(update={"agent": "react", "model": "gpt-5"})
    with pytest.raises(CheckError, match=r"entry.model: is 'gpt-5', but the run was made by None"):
        pack(run, tmp_path / "out", entry, SUBMITTER, tasks=tasks)


def test_nothing_is_overwritten(signed: Signed) -> None:
    before = contents(signed.folder)
    with pytest.raises(UsageError, match="already there"):
        pack(signed.run, signed.folder, ENTRY, SUBMITTER, tasks=signed.tasks)
    assert contents(signed.folder) == before


def test_a_file_that_grows_while_it_is_packed_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="changed while it was packed"):
        write_archive(tmp_path / "a.tar.zst", {"proc": Path("/proc/self/status")})


def test_a_location_goes_into_every_part(tmp_path: Path, tasks: Path, run: Path) -> None:
    bundle = pack(run, tmp_path / "out", ENTRY, SUBMITTER, tasks=tasks, location="https://example.org/x/")
    assert [part.location for part in bundle.payload] == [
        f"https://example.org/x/{part_name(task)}" for task in ("tiny-play", "tiny-predictions")
    ]
    verify_contents(tmp_path / "out")
    (tmp_path / "out" / "tiny-play.tar.zst").unlink()
    with pytest.raises(VerificationError, match="fetch it beside"):
        verify_contents(tmp_path / "out")


def test_killed_at_any_moment_leaves_no_half_bundle_and_the_next_pack_cleans_up(
    tmp_path: Path, tasks: Path, run: Path
) -> None:
    """kill -9 at moments spread over the whole pack, on a run large enough for many moments."""
    noise = os.urandom(3 << 20)
    for seed in (0, 1):
        (run / f"tiny-play/seed-{seed}/steps.jsonl").write_bytes(noise)
    script = (
        "import sys; from pathlib import Path; from harness.pack import pack\n"
        "from tests.harness.sign.builder import ENTRY, SUBMITTER\n"
        "print('go', flush=True)\n"
        "pack(Path(sys.argv[1]), Path(sys.argv[2]), ENTRY, SUBMITTER, tasks=Path(sys.argv[3]))"
    )
    out = tmp_path / "place" / "out"
    caught_in_the_middle = 0
    for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06):
        command = [sys.executable, "-c", script, str(run), str(out), str(tasks)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}  # what a kill leaves there
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None and process.stdout.readline() == b"go\n"
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        if out.exists():
            verify_contents(out)
            shutil.rmtree(out)
        else:
            caught_in_the_middle += out.parent.exists() and any(out.parent.iterdir())
    assert caught_in_the_middle
    pack(run, out, ENTRY, SUBMITTER, tasks=tasks)
    verify_contents(out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_two_packs_at_once_leave_one_whole_bundle(
    tmp_path: Path, tasks: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins and ends while the first is at work: it must not take the first's folder for a dead one."""
    out = tmp_path / "place" / "out"
    honest = harness.pack.scan_part

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(harness.pack, "scan_part", honest)
        pack(run, out, ENTRY, SUBMITTER, tasks=tasks)
        return honest(*arguments)

    monkeypatch.setattr(harness.pack, "scan_part", meanwhile)
    with pytest.raises(UsageError, match="did another pack make it meanwhile"):
        pack(run, out, ENTRY, SUBMITTER, tasks=tasks)
    verify_contents(out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_bundle_is_packed_where_locks_are_those_of_nfs(tmp_path: Path, tasks: Path, run: Path) -> None:
    """A folder has no lock there. What a killed pack left goes, and no link that is called like it is followed."""
    out, elsewhere = tmp_path / "place" / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out.parent / ".out.packing-dead" / "bundle").mkdir(parents=True)
    (out.parent / ".out.packing-link").symlink_to(elsewhere)
    script = (
        "import sys; from pathlib import Path; from harness.pack import pack\n"
        "from tests.harness.sign.builder import ENTRY, SUBMITTER\n"
        "pack(Path(sys.argv[1]), Path(sys.argv[2]), ENTRY, SUBMITTER, tasks=Path(sys.argv[3]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | preloaded("nfs_flock.c", tmp_path)
    subprocess.run([sys.executable, "-c", script, str(run), str(out), str(tasks)], env=environment, check=True)
    verify_contents(out)
    assert {path.name for path in out.parent.iterdir()} == {"out", ".out.packing-link"}
    assert not list(elsewhere.iterdir())
