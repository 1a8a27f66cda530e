"""Facts are what the files say, whatever the cache, the workers and the file system do."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scoring.facts import hashes, pool
from scoring.facts.hashes import SETTLED_NS
from scoring.facts.read import read_facts
from scoring.facts.segment import open_segment
from tests.scoring.facts_board import relations, shuffled, write_imports, write_mixture

REJECTED = ["broken", "run-removed"]
MANY = 140


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough entries for a worker beside this process, on any machine with two cores."""
    folder = tmp_path_factory.mktemp("board")
    write_mixture(folder / "submissions", folder / "keys", MANY)
    return folder / "submissions"


@pytest.fixture(scope="module")
def expected(board: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Read alone: no worker, no cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "MAX_WORKERS", 0)
        with read_facts(board) as facts:
            assert [folder for folder, _ in facts.rejections] == REJECTED
            return relations(facts)


def small(tmp_path: Path, count: int = 3) -> Path:
    write_imports(tmp_path / "submissions", count)
    return tmp_path / "submissions"


def test_levels_reviews_and_inclusions(board: Path, expected: dict[str, list[tuple[Any, ...]]]) -> None:
    with read_facts(board) as facts:
        query = "SELECT entry, level, reviewed, included FROM entries WHERE entry LIKE 'run-%' ORDER BY entry_no"
        found = facts.db.execute(query).fetchall()
        numbers = facts.db.execute("SELECT entry_no, entry FROM entries ORDER BY entry").fetchall()
    assert found == [
        ("run-downgraded", "signed", False, MANY + 3),
        ("run-regraded", "regraded", True, MANY),
        ("run-signed", "signed", False, MANY + 2),
    ]
    assert [number for number, _ in numbers] == list(range(MANY + 3))


def test_the_cache_the_workers_and_the_order_of_files_change_nothing(
    board: Path, expected: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    folder = shutil.copytree(board, tmp_path / "submissions")
    digests = set()
    for run in range(3):
        with read_facts(folder, cache=tmp_path / "cache") as facts:
            assert relations(facts) == expected, run
            digests.add(facts.sha256)
        shuffled(folder, run)
    with read_facts(folder) as facts:
        assert relations(facts) == expected
        digests.add(facts.sha256)
    assert len(digests) == 1


def test_a_warm_cache_parses_nothing(board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small(tmp_path)
    read_facts(folder, cache=tmp_path / "cache").close()

    def refuse(*_: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("scoring.facts.work.check_evidence", refuse)
    read_facts(folder, cache=tmp_path / "cache").close()
    with pytest.raises(AssertionError, match="parsed"):
        read_facts(folder)


def test_what_the_first_call_read_the_second_does_not_hash(
    board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = max(place.stat().st_ctime_ns for place in board.rglob("*"))
    time.sleep(max(0, newest + 2 * SETTLED_NS - time.time_ns()) / 1e9)
    read_facts(board, cache=tmp_path / "cache").close()
    opened, hashed = hashes.opened, set[str]()

    def recorded(file: str, cap: int) -> tuple[int, os.stat_result]:
        hashed.add(Path(file).parent.name)
        return opened(file, cap)

    monkeypatch.setattr("scoring.facts.hashes.opened", recorded)
    read_facts(board, cache=tmp_path / "cache").close()
    assert hashed == {*REJECTED}, "of what counts nothing, whether this process or a worker had read it"


def test_what_changed_is_read_again_and_no_time_stamp_is_believed(tmp_path: Path) -> None:
    folder = small(tmp_path)
    file = folder / "import-1" / "bundle.json"
    before = file.stat()
    read_facts(folder, cache=tmp_path / "cache").close()
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"api_calls": 5', b'"api_calls": 6', 1))
    assert file.read_bytes() != data
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with read_facts(folder, cache=tmp_path / "cache") as facts:
        [(name, reasons)] = facts.rejections
        assert (name, "no inclusion of exactly these bytes" in reasons[0]) == ("import-1", True)
    file.write_bytes(data)
    with read_facts(folder, cache=tmp_path / "cache") as facts:
        assert facts.rejections == ()


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x40
    file.write_bytes(data)


def forge(file: Path) -> None:
    """Whole Parquet of other facts: only the digests tell."""
    other = file.with_name("notes.parquet" if file.name != "notes.parquet" else "baselines.parquet")
    file.write_bytes(other.read_bytes())


@pytest.mark.parametrize("damage", [truncate, flip, forge, Path.unlink])
@pytest.mark.parametrize("name", ["attempts.parquet", "entries.parquet", "manifest.json"])
def test_a_damaged_segment_is_read_again(tmp_path: Path, damage: Callable[[Path], object], name: str) -> None:
    folder, cache = small(tmp_path), tmp_path / "cache"
    with read_facts(folder, cache=cache) as facts:
        expected = relations(facts)
    [segment] = (cache / "segments").iterdir()
    damage(segment / name)
    with read_facts(folder, cache=cache) as facts:
        assert relations(facts) == expected
    segments = [open_segment(place) for place in (cache / "segments").iterdir()]
    assert [found.path for found in segments if found] == [segment], "it was written anew, under the same name"


def test_many_small_segments_become_one(tmp_path: Path) -> None:
    folder, cache = tmp_path / "submissions", tmp_path / "cache"
    whole = small(tmp_path / "whole", 12)
    for number in range(12):
        shutil.copy(whole / "ledger.jsonl", folder / "ledger.jsonl") if folder.exists() else shutil.copytree(
            whole, folder, ignore=lambda _, names: [name for name in names if name.startswith("import")]
        )
        shutil.copytree(whole / f"import-{number}", folder / f"import-{number}")
        read_facts(folder, cache=cache).close()
    assert len(list((cache / "segments").iterdir())) < 9
    with read_facts(folder, cache=cache) as facts, read_facts(whole) as fresh:
        assert relations(facts) == relations(fresh)


def test_a_board_in_use_keeps_its_files_while_another_process_merges(tmp_path: Path) -> None:
    folder, cache = small(tmp_path), tmp_path / "cache"
    with read_facts(folder, cache=cache) as first:
        expected = relations(first)
        for place in (cache / "segments").iterdir():
            os.utime(place, (0, 0))
        other = tmp_path / "other"
        write_imports(other, 1)
        (other / "import-0").rename(other / "renamed")
        read_facts(other, cache=cache).close()
        assert relations(first) == expected
    read_facts(other, cache=cache).close()
    assert list((cache / "segments").iterdir()) == [], "let go and unused for years: removed"


def test_without_room_the_facts_are_the_same(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (tmp_path / "file").write_text("no folder")
    with read_facts(folder, cache=tmp_path / "file") as facts, read_facts(folder) as fresh:
        assert relations(facts) == relations(fresh)


def test_a_cache_path_may_hold_any_character(tmp_path: Path) -> None:
    folder = small(tmp_path)
    with read_facts(folder, cache=tmp_path / "it's [a] *?" / "{cache}") as facts, read_facts(folder) as fresh:
        assert relations(facts) == relations(fresh)


def test_a_killed_worker_costs_nothing_but_time(
    board: Path, expected: dict[str, list[tuple[Any, ...]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = pool.start

    def killed(module: str, *words: str, **more: Any) -> subprocess.Popen[bytes]:
        worker = start(module, *words, **more)
        started.append(worker)
        threading.Timer(0.05 * len(started), os.kill, (worker.pid, signal.SIGKILL)).start()
        return worker

    monkeypatch.setattr(pool, "start", killed)
    monkeypatch.setattr(pool, "cores", lambda: 3)
    with read_facts(board, cache=tmp_path / "cache") as facts:
        assert relations(facts) == expected
    assert [worker.returncode for worker in started] == [-signal.SIGKILL] * 2
    assert not [place for place in (tmp_path / "cache" / "segments").iterdir() if place.name.startswith(".")]


def test_workers_read_a_share(board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "cores", lambda: 2)
    monkeypatch.setattr(pool, "claimed", lambda queue: iter(()))
    settled = pool._settled

    def only_own(cases: Any, numbers: Any, place: Path, segments: Any) -> Any:
        assert place.name == "own", "a worker died, and its share is read here"
        return settled(cases, numbers, place, segments)

    monkeypatch.setattr(pool, "_settled", only_own)
    read_facts(board, cache=tmp_path / "cache").close()
    [segment] = map(open_segment, (tmp_path / "cache" / "segments").iterdir())
    assert segment is not None
    assert len(segment.index) == MANY + 3, "this process claimed nothing, so the worker read it all"


def test_processes_at_once_agree(board: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from scoring.facts.read import read_facts\n"
        "from tests.scoring.facts_board import relations; import hashlib\n"
        "facts = read_facts(Path(sys.argv[1]), cache=Path(sys.argv[2]))\n"
        "print(hashlib.sha256(repr(relations(facts)).encode()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(board), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate()[0].strip() for process in running}
    with read_facts(board, cache=tmp_path / "cache") as facts:
        assert printed == {hashlib.sha256(repr(relations(facts)).encode()).hexdigest()}
