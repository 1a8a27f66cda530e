"""Our own failure is a GradingError with the referee's last words, never a score and never the candidate's fault."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import GradingError, SandboxError
from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.sandbox import docker as docker_engine
from harness.sandbox import docker_process
from harness.sandbox.base import Engine
from harness.sandbox.docker_box import remove_container
from harness.schema.episode import Verdict
from harness.schema.task import load_task, tasks_root

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.usefixtures("nothing_left")
ZERO = {"strategy.py": b"def row_strategy(history): return 0"}


@pytest.fixture
def broken(tmp_path: Path, engine: Engine) -> Callable[..., Verdict]:
    """broken(referee's text, reference text or None): a grade of a copy of battle-of-sexes with that referee."""

    def grade(referee: str, reference: str | None = None, artifact: dict[str, bytes] = ZERO, **limits: int) -> Verdict:
        folder = tmp_path / "battle-of-sexes"
        shutil.copytree(tasks_root() / "battle-of-sexes", folder)
        (folder / "grader" / "referee.py").write_text(referee)
        task = load_task(folder)
        task = task.model_copy(update={"limits": task.limits.model_copy(update=limits)})
        if reference is not None:
            (folder / "grader" / "reference").mkdir()
            (folder / "grader" / "reference" / "strategy.py").write_text(reference)
            task = task.model_copy(
                update={"grader": task.grader.model_copy(update={"relative_to_starter": True})},
            )
        return grade_play(GradeJob(task, folder, "smoke", "sealed", artifact, os.urandom(32)), engine)

    return grade


FAILURES = {
    "exception": ("def play(table): 1 / 0", "ZeroDivisionError"),
    "no play": ("x = 1", "KeyError"),
    "exit": ("import os\ndef play(table): os._exit(3)", "ended without a verdict"),
    "wrong metric": (
        "from gymplay import Outcome\ndef play(table): return Outcome({'fame': 1.0}, {}, 1)",
        "the task declares ['mean_payoff']",
    ),
    "NaN": (
        "from gymplay import Outcome\ndef play(table): return Outcome({'mean_payoff': float('nan')}, {}, 1)",
        "not JSON compliant",
    ),
    "no outcome": ("def play(table): return 3", "AttributeError"),
}


@pytest.mark.parametrize(("referee", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_a_referee_that_fails_gives_no_verdict(broken: Callable[..., Verdict], referee: str, words: str) -> None:
    with pytest.raises(GradingError) as caught:
        broken(referee)
    assert words in str(caught.value)


def test_a_print_in_the_referee_is_no_verdict(broken: Callable[..., Verdict]) -> None:
    referee = (
        "import os, sys\nfrom gymplay import Outcome\n"
        "def play(table):\n    print('{\"verdict\": 1}', flush=True)\n    os.write(1, b'{}\\n')\n"
        "    return Outcome({'mean_payoff': 0.5}, {'mean_payoff': 0.1}, 7)\n"
    )
    assert broken(referee).metrics == {"mean_payoff": 0.5}


START = "{'file': 'strategy.py', 'function': 'row_strategy', 'seed': 1, 'games': 1, 'width': 1}"
TURNS = f"""
from gymplay import Outcome
import time

def play(table):
    assert list(table.players) == ["starter", "candidate"]
    for name, player in table.players.items():
        table.turn(name)
        player.ask("start", {START})
    first, burnt = table.turn(None), 0.0
    for _ in range(30):  # on a busy machine little of a second is its
        time.sleep(0.5)
        second = table.turn("candidate")
        assert second["candidate"] - first["candidate"] < 0.1, "it worked while paused"
        time.sleep(1.0)
        third = table.turn(None)
        burnt += third["candidate"] - second["candidate"]
        assert third["starter"] - second["starter"] < 0.1
        if burnt > 0.3:
            break
        first = third
    return Outcome({{"mean_payoff": burnt}}, {{"mean_payoff": 0.0}}, 1)
"""
BURN = (
    b"import threading\ndef burn():\n    while True: pass\n"
    b"threading.Thread(target=burn, daemon=True).start()\n"
    b"def row_strategy(history): return 0\n"
)


def test_turns_pause_the_others_and_count_background_work(broken: Callable[..., Verdict]) -> None:
    verdict = broken(TURNS, "def row_strategy(history): return 0", {"strategy.py": BURN})
    assert 0.3 < verdict.metrics["mean_payoff"] < 1.5


def test_a_player_that_ends_unasked_cannot_hide_what_it_used(broken: Callable[..., Verdict]) -> None:
    code = b"import os, threading\nthreading.Timer(0.3, os._exit, [7]).start()\ndef row_strategy(history): return 0\n"
    verdict = broken(TURNS, "def row_strategy(history): return 0", {"strategy.py": code})
    assert verdict.invalid == "it ended before the match did\nexit code 7"


STUCK = b"""
import ctypes, os

LIBC = ctypes.CDLL(None)
LIBC.mmap.restype = ctypes.c_void_p
READ, PRIVATE_ANONYMOUS_NORESERVE, POPULATE_READ, DONTNEED, NO_HUGE_PAGES = 1, 0x4022, 22, 4, 15
LENGTH = ctypes.c_size_t(12 << 30)
for _ in range(3):
    if os.fork() == 0:
        place = LIBC.mmap(None, LENGTH, READ, PRIVATE_ANONYMOUS_NORESERVE, -1, ctypes.c_long(0))
        for advice in (NO_HUGE_PAGES, *(POPULATE_READ, DONTNEED) * 1000):
            LIBC.madvise(ctypes.c_void_p(place), LENGTH, advice)

def row_strategy(history): return 0
"""


@pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)
def test_a_player_that_does_not_stand_still_is_at_fault(
    broken: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system call that goes on for seconds keeps its process from being frozen. Were the grade to fail for it, as
    for a fault of the machine, a player could have one that goes badly played again."""
    monkeypatch.setattr(docker_process, "FREEZE_S", 0.1)
    verdict = broken(TURNS, "def row_strategy(history): return 0", {"strategy.py": STUCK})
    assert "did not stand still when it was paused" in (verdict.invalid or "")


@pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)
def test_a_player_that_cannot_be_ended_is_at_fault(
    broken: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine says so of either player, after a good game: it is not played again."""
    removals = []

    def refused(api: APIClient, container: str) -> None:
        remove_container(api, container)
        removals.append(container)
        if len(removals) <= 2:
            raise SandboxError("tried to kill container, but did not receive an exit event")

    monkeypatch.setattr(docker_engine, "remove_container", refused)
    verdict = broken(TURNS, "def row_strategy(history): return 0", {"strategy.py": BURN})
    assert "could not be ended" in (verdict.invalid or "") and not verdict.metrics


def test_the_fault_of_our_own_player_is_ours(broken: Callable[..., Verdict]) -> None:
    with pytest.raises(GradingError, match=r"(?s)our own player 'starter' failed: .*oops"):
        broken(TURNS, "raise ValueError('oops')")


LATE = f"""
def play(table):
    for name in ("candidate", "starter"):
        table.players[name].ask("start", {START})
"""
SLEEPS = "import time\ntime.sleep({})\ndef row_strategy(history): return 0\n"


def test_who_took_the_time_is_at_fault_not_who_is_asked_when_it_is_up(broken: Callable[..., Verdict]) -> None:
    slow = {"strategy.py": SLEEPS.format(5).encode()}
    verdict = broken(LATE, SLEEPS.format(4), slow, grade_time_s=9)
    assert "(limit for the whole grade)" in (verdict.invalid or "")
