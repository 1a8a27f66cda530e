"""The log: whole lines from many writers at once, whatever the disk does, and nothing that stops a run."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.telemetry.event import event, moment
from harness.telemetry.lines import EventLog, read_events

PROCESSES, THREADS, LINES = 4, 3, 300


def write_many(file: Path, writer: int) -> None:
    """Each thread its own lines, of lengths up to twice what a pipe takes at once."""
    log = EventLog(file)

    def write(thread: int) -> None:
        for number in range(LINES):
            facts = {"number": number, "text": "x" * (number * 27)}
            log(event("step", 0.0, 1.0, facts, run=f"{writer}-{thread}", episode="a/seed-0", step=number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    log.close()


def test_many_processes_and_threads_tear_no_line(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "run.jsonl"
    context = multiprocessing.get_context("forkserver")
    writers = [context.Process(target=write_many, args=(file, writer)) for writer in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * PROCESSES
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    seen = Counter((line["run"], line["facts"]["number"]) for line in lines)
    assert len(seen) == len(lines) == PROCESSES * THREADS * LINES, "each line once"
    assert all(line["facts"]["text"] == "x" * (line["facts"]["number"] * 27) for line in lines)
    assert len({line["pid"] for line in lines}) == PROCESSES
    assert len(list(read_events(file))) == len(lines)


def some(number: int = 1) -> None:
    return event("grade", 0.0, 1.0, {"number": number})


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    first = EventLog(file)
    first(some(1))
    with file.open("ab") as torn:
        torn.write(b'{"event": "gra')
    second = EventLog(file)
    second(some(2))
    first(some(3))
    with file.open("ab") as strange:
        strange.write(
            b"\xff\x00\n[]\n" + b'{"event": "of a later version", "time": "2026-11-21T00:00:00.000000Z", "pid": 1}\n'
        )
    first(some(4))
    assert [one.facts["number"] for one in read_events(file)] == [1, 2, 3, 4]
    assert list(read_events(tmp_path / "nowhere.jsonl")) == []


def test_a_full_disk_is_said_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    log = EventLog(Path("/dev/full"))
    for number in range(3):
        log(some(number))
    assert [record.getMessage() for record in caplog.records] == [
        "/dev/full is not written any further: No space left on device"
    ]


def test_what_cannot_be_appended_to_is_refused_before_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="neither a file nor a terminal"):
        EventLog(tmp_path / "fifo")
    with pytest.raises(IsADirectoryError):
        EventLog(tmp_path)


def test_a_thread_that_was_left_behind_writes_nowhere(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log.jsonl")
    log.close()
    with (tmp_path / "other").open("wb") as reuses_the_handle:
        log(some())
        assert reuses_the_handle.tell() == 0
    assert (tmp_path / "log.jsonl").read_bytes() == (tmp_path / "other").read_bytes() == b""


def test_a_wall_clock_that_jumps_moves_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    since = time.monotonic()
    before = event("command", since, since + 1.0, {})
    monkeypatch.setattr(time, "time", lambda: 0.0)
    after = event("command", since, since + 1.0, {})
    assert (after.time, after.ended_s - after.began_s) == (before.time, pytest.approx(1.0))
    assert abs(before.began_s - time.clock_gettime(time.CLOCK_REALTIME)) < 3600, "and it is the wall clock's time"
    assert moment(since).endswith("Z")
