"""A finished program as the agent: it hands in by two executables, and whatever it does is a recorded episode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agents.command import command_agent
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.episode import Episode
from harness.schema.steps import StepLine, read_steps
from harness.schema.task import tasks_root

TWO_LINES = "cp baseline.py strategy.py && validate\nsubmit\n"


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def blotto(engine: Engine) -> Place:
    return place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


def limited(place: Place, **limits: float) -> Place:
    task = place.task.model_copy(update={"limits": place.task.limits.model_copy(update=limits)})
    return Place(task, place.folder, place.profile, place.engine)


def play(place: Place, folder: Path, command: str, program: Path | None = None) -> tuple[Episode, list[StepLine]]:
    episode = run_episode(place, command_agent(command, program, None), 0, folder / "episode")
    return episode, list(read_steps(folder / "episode" / "steps.jsonl"))


def test_two_lines_of_shell_are_an_agent(blotto: Place, tmp_path: Path) -> None:
    episode, steps = play(blotto, tmp_path, TWO_LINES)
    assert (episode.exit_status, episode.trace) == ("success", "ABU")
    assert [attempt.kind for attempt in episode.attempts] == ["validate", "submit"]
    assert episode.attempts[-1].sealed is not None and episode.attempts[-1].sealed.valid
    assert steps[1].action.command == TWO_LINES
    assert "validation mean payoff per round = " in steps[1].observation, "the program saw what it was told"


def test_a_program_that_just_ends_hands_in_what_is_there(blotto: Place, tmp_path: Path) -> None:
    episode, steps = play(blotto, tmp_path, "cp baseline.py strategy.py; cat $GYMBOARD_INSTRUCTION | head -1")
    assert (episode.exit_status, episode.trace) == ("success", "B")
    assert steps[0].observation == "# Colonel Blotto"
    assert steps[-1].by == "harness" and episode.attempts[-1].sealed is not None


def test_a_program_that_fails_says_so_and_still_hands_in(blotto: Place, tmp_path: Path) -> None:
    episode, _ = play(blotto, tmp_path, "cp baseline.py strategy.py; exit 3")
    assert episode.exit_status == "runtime" and "exit code 3" in (episode.exit_detail or "")
    assert episode.attempts[-1].sealed is not None and episode.attempts[-1].sealed.valid


def test_wall_time_ends_what_does_not_want_to_end(blotto: Place, tmp_path: Path) -> None:
    stubborn = "cp baseline.py strategy.py; trap '' TERM INT HUP; (setsid sleep 4000 &); while :; do sleep 1; done"
    episode, steps = play(limited(blotto, wall_time_s=6), tmp_path, stubborn)
    assert episode.exit_status == "wall_time"
    assert "stopped" in steps[0].observation
    assert episode.attempts[-1].sealed is not None, "what was there is handed in"
    assert (episode.usage.wall_s or 0) < 60


def test_steps_are_limited(blotto: Place, tmp_path: Path) -> None:
    episode, _ = play(limited(blotto, steps=3), tmp_path, "cp baseline.py strategy.py; while :; do validate; done")
    assert (episode.exit_status, episode.trace) == ("max_steps", "AAB")


def test_output_is_bounded(blotto: Place, tmp_path: Path) -> None:
    episode, steps = play(blotto, tmp_path, "head -c 100000000 /dev/zero; printf '\\033[2Jlast'; submit")
    assert len(steps[0].observation) < 200_000 and "bytes" in steps[0].observation
    assert "last" in steps[0].observation
    assert (episode.trace, episode.exit_status) == ("BU", "evaluation_error")


HOSTILE = r"""
import os, socket, threading, subprocess
folder = os.environ["GYMBOARD_HARNESS"]
def door():
    s = socket.socket(socket.AF_UNIX); s.settimeout(20)
    s.connect(folder + "/door.sock"); return s
def say(data):
    s = door(); s.sendall(data); s.shutdown(socket.SHUT_WR); return b"".join(iter(lambda: s.recv(99), b""))
for word in (b"x" * 10_000_000, b"\xff\x00\n", b"validate submit\n", b"", b"GET / HTTP/1.1\r\n\r\n", b"SUBMIT\n"):
    try:
        print(word[:9], say(word)[:1])
    except OSError as error:
        print(word[:9], "OSError")
held = []
for _ in range(60):                          # opened and never used
    try: held.append(door())
    except OSError: pass
print("held", len(held))
for s in held[:40]:
    try: s.sendall(b"v")
    except OSError: pass
try:
    open(folder + "/bin/validate", "w"); print("WRITABLE")
except OSError: print("read-only")
for s in held: s.close()
subprocess.run(["cp", "baseline.py", "strategy.py"])
print("after", subprocess.run(["validate"], capture_output=True).stdout[:10])
"""


def test_a_hostile_program_spoils_only_its_own_questions(blotto: Place, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "hostile.py").write_text(HOSTILE)
    episode, steps = play(blotto, tmp_path, "python3 $GYMBOARD_PROGRAM/hostile.py", program)
    said = steps[-2].observation
    assert "b'validation'" in said.split("after")[1], said
    assert "WRITABLE" not in said or blotto.engine.kind == "local"
    assert (episode.trace, len(episode.attempts)) == ("AP", 2), "no word but the two hands anything in"
