"""A person at a terminal: a pseudo-terminal types, the episode is what was typed, and foreign text drives nothing."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.agents.base import Budget, Observation
from harness.agents.human import HumanAgent
from harness.errors import EpisodeOver
from harness.schema.steps import read_steps

ROOT = Path(__file__).resolve().parents[3]


def read_until(terminal: int, words: bytes, limit_s: float = 120) -> bytes:
    seen, deadline = b"", time.monotonic() + limit_s
    while words not in seen:
        if time.monotonic() > deadline or not select.select([terminal], [], [], 1)[0]:
            assert time.monotonic() < deadline, f"{words!r} never came: {seen!r}"
            continue
        seen += os.read(terminal, 4096)
    return seen


def test_a_person_plays_an_episode(tmp_path: Path) -> None:
    words = ["run", "--agent", "human", "--tasks", "colonel-blotto", "--profile", "smoke", "--seeds", "1"]
    words += ["--sandbox", "local", "--runs", str(tmp_path), "--run", "mine"]
    person, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "gymboard", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        close_fds=True,
    )
    os.close(terminal)
    read_until(person, b"\n$ ")
    os.write(person, b"cp baseline.py \\\nstrategy.py && printf '\\033]0;pwned\\007\\033[2Jdone'\n")
    shown = read_until(person, b"done\r\n$ ")
    assert b"pwned" not in shown.partition(b"done'")[2] and b"\x1b[2J" not in shown
    os.write(person, b":time\n:validate\n")
    assert b"minutes left" in read_until(person, b"validation mean payoff per round")
    os.write(person, b":submit\n")
    with_end = b""
    while child.poll() is None or select.select([person], [], [], 0.2)[0]:
        try:
            with_end += os.read(person, 4096)
        except OSError:  # the terminal has no other end any more
            break
    assert child.wait(60) == 0, with_end
    steps = list(read_steps(tmp_path / "mine" / "colonel-blotto" / "seed-0" / "steps.jsonl"))
    assert [step.action.kind for step in steps] == ["bash", "validate", "submit"]
    assert steps[0].action.command.startswith("cp baseline.py \\\nstrategy.py")


def test_the_end_of_the_input_hands_in_and_time_does_not_wait(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (tmp_path / "out").open("w") as out:
        agent = HumanAgent(reading, out)
        os.write(writing, b"\n   \n:nonsense\nls -l")
        with pytest.raises(EpisodeOver) as over:
            agent.act(Observation("", left=Budget(steps=5, time_s=0.2)))
        assert over.value.status == "wall_time"
        os.close(writing)
        action = agent.act(Observation("", left=Budget(steps=5, time_s=5)))
        assert (action.kind, action.command) == ("bash", "ls -l"), "a last line without its newline was typed too"
        assert agent.act(Observation("")).kind == "submit"
    assert "Type a command" in (tmp_path / "out").read_text()
    os.close(reading)
