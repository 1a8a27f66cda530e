"""grade_play on real engines: honest strategies score, every kind of nonsense is invalid with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from harness.sandbox.base import Engine
from harness.schema.episode import Verdict
from harness.schema.task import tasks_root

Grade = Callable[..., Verdict]
TASKS = tasks_root()
GAMES = ("prisoners-dilemma", "battle-of-sexes", "colonel-blotto")
ORACLE = {"prisoners-dilemma": 2.6251, "battle-of-sexes": 1.44, "colonel-blotto": 0.2476}
BASELINE = {"prisoners-dilemma": 2.3716, "battle-of-sexes": 1.0227, "colonel-blotto": -0.2480}

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.parametrize("task", GAMES)
def test_starter_and_oracle_score_what_they_should(engine: Engine, graded: Grade, task: str) -> None:
    for file, expected in (("starter/baseline.py", BASELINE[task]), ("grader/oracle/strategy.py", ORACLE[task])):
        verdict = graded(engine, task, (TASKS / task / file).read_bytes())
        assert verdict.invalid is None
        assert verdict.n == 500
        assert abs(verdict.metrics["mean_payoff"] - expected) < 4.5 * verdict.stderr["mean_payoff"]


def test_one_seed_gives_one_verdict_and_another_seed_another(engine: Engine, graded: Grade) -> None:
    strategy = (TASKS / "colonel-blotto/starter/baseline.py").read_bytes()
    first, second, other = (graded(engine, "colonel-blotto", strategy, seed=bytes([n] * 32)) for n in (1, 1, 2))
    assert first.metrics == second.metrics != other.metrics
    assert first.seed == "01" * 32
    assert graded(engine, "colonel-blotto", strategy, split="validation").seed is None


def test_a_seed_that_the_artifact_can_recompute_would_be_lost(engine: Engine, graded: Grade) -> None:
    """The attack is real: it wins every round but the first when the seed is the artifact's digest."""
    strategy = (TASKS / "colonel-blotto/exploits/hash-own-file/strategy.py").read_bytes()
    assert graded(engine, "colonel-blotto", strategy, seed=hashlib.sha256(strategy).digest()).metrics == {
        "mean_payoff": pytest.approx(0.8)
    }
    assert graded(engine, "colonel-blotto", strategy).metrics["mean_payoff"] < -0.9


NONSENSE = {
    "no such function": ("x = 1", "does not define the function row_strategy"),
    "not callable": ("row_strategy = 3", "does not define the function row_strategy"),
    "syntax error": ("def row_strategy(:", "SyntaxError"),
    "exception at import": ("raise ValueError('oops')", "ValueError: oops"),
    "exit at import": ("import sys; sys.exit(0)", "SystemExit"),
    "hard exit at import": ("import os; os._exit(0)", "connection was closed"),
    "exception in a call": ("def row_strategy(history): return history[3]", "IndexError"),
    "None": ("def row_strategy(history): return None", "six|6 integers"),
    "NaN": ("def row_strategy(history): return [float('nan')] * 6", "6 integers"),
    "whole floats": ("def row_strategy(history): return [20.0] * 6", "6 integers"),
    "strings": ("def row_strategy(history): return ['20'] * 6", "6 integers"),
    "a string": ("def row_strategy(history): return '202020'", "6 integers"),
    "five numbers": ("def row_strategy(history): return [20] * 5", "6 integers"),
    "a million numbers": ("def row_strategy(history): return [0] * 10**6", "6 integers"),
    "huge integers": ("def row_strategy(history): return [2**70] * 6", "6 integers"),
    "wraps around": ("def row_strategy(history): return [2**32] * 6", "6 integers"),
    "sum wraps around": ("def row_strategy(history): return [2**31 - 1] * 6", "no move"),
    "negative": ("def row_strategy(history): return [125, -5, 0, 0, 0, 0]", "no move"),
    "too many soldiers": ("def row_strategy(history): return [20, 20, 20, 20, 20, 21]", "no move"),
    "control characters": ("raise ValueError('\\x1b[2J\\u202e\\ud800\\0evil')", "evil"),
    "error that cannot be printed": (
        "class E(BaseException):\n    __str__ = property(lambda self: 1 / 0)\nraise E",
        "",
    ),
    "endless recursion": ("def row_strategy(history): return row_strategy(history)", "RecursionError"),
    "out of memory": ("x = [bytearray(2**30) for _ in range(64)]", "MemoryError|connection was closed"),
}


@pytest.mark.parametrize(("code", "reason"), NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_invalid_and_says_why(engine: Engine, graded: Grade, code: str, reason: str) -> None:
    verdict = graded(engine, "colonel-blotto", code)
    assert verdict.metrics == {}
    assert verdict.invalid
    assert any(part in verdict.invalid for part in reason.split("|"))
    assert all(char.isprintable() or char == "\n" for char in verdict.invalid)
    assert "gymplay" not in verdict.invalid


INTRUDER = """
import os, socket, sys

def tried(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return type(error).__name__
    return "done"

def row_strategy(history):
    path = sys.argv[3]
    again = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raise RuntimeError([
        tried(again.connect, path),
        tried(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).bind, path),
        tried(open, os.path.join(os.path.dirname(path), "note"), "w"),
        tried(open, os.path.join(os.getcwd(), "strategy.py"), "w"),
        os.listdir(os.path.dirname(path)),
    ])
"""


def test_the_player_finds_no_second_seat_and_can_write_nothing_shared(engine: Engine, graded: Grade) -> None:
    reason = graded(engine, "battle-of-sexes", INTRUDER).invalid or ""
    denied = "OSError" if engine.kind == "docker" else "PermissionError"  # a read-only mount, another user's folder
    assert f"['FileNotFoundError', '{denied}', '{denied}', '{denied}', []]" in reason


FLOOD = """
import gc, json, socket, struct
def row_strategy(history):
    head = json.dumps({"kind": "error", "seq": 2, "meta": {"text": TEXT}, "arrays": []}).encode()
    for thing in gc.get_objects():
        if isinstance(thing, socket.socket):
            thing.sendall(struct.pack("<4sII", b"GYM1", len(head), 0) + head)
    while True: pass
"""
TEXTS = {
    "a megabyte": "'x' * 2**20",
    "a megabyte of surrogates": "chr(0xd800) * 2**17",
    "astral": "chr(0x1f600) * 2**17",
    "nothing": "''",
    "a number": "10**4000",
    "an object": "{'a': [{}] * 10**5}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_hostile_error_text_makes_the_attempt_invalid_and_nothing_else(
    engine: Engine, graded: Grade, text: str
) -> None:
    verdict = graded(engine, "battle-of-sexes", FLOOD.replace("TEXT", text))
    assert verdict.metrics == {}
    assert len(verdict.invalid or "") <= 2000
    verdict.canonical()


STALLS = {
    "sleeps at import": "import time; time.sleep(1000)",
    "loops in a call": "def row_strategy(history):\n    while True: pass",
    "stops itself": "import os, signal\ndef row_strategy(history): os.kill(os.getpid(), signal.SIGSTOP)",
    "holds the interpreter": "import re\ndef row_strategy(history): re.match('(a+)+b', 'a' * 64)",
    "waits for a child that inherited everything": (
        "import os, time\ndef row_strategy(history):\n    os.fork() or time.sleep(1000)\n    os.wait()"
    ),
}


@pytest.mark.parametrize("code", STALLS.values(), ids=STALLS.keys())
def test_a_stall_is_invalid_after_the_limit_of_a_message(engine: Engine, graded: Grade, code: str) -> None:
    verdict = graded(engine, "battle-of-sexes", code, reply_time_s=2)
    assert "in time (limit 2 s a message)" in (verdict.invalid or "")
    assert verdict.duration_s < 60


def test_a_child_that_outlives_the_player_is_gone(engine: Engine, graded: Grade) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.fork() or time.sleep(1000)\n    time.sleep(1000)\n"
        "def row_strategy(history): return 0\n"
    )
    assert graded(engine, "battle-of-sexes", code).invalid is None


def test_numpy_integers_and_bools_are_integers(engine: Engine, graded: Grade) -> None:
    code = "import numpy as np\ndef row_strategy(history): return np.array([0, 0, 30, 30, 30, 30])"
    assert graded(engine, "colonel-blotto", code).invalid is None
    assert graded(engine, "battle-of-sexes", "def row_strategy(history): return False").invalid is None


def test_the_history_is_what_was_played_and_is_never_shared(engine: Engine, graded: Grade) -> None:
    code = (
        "seen, games, calls = {}, 0, 0\n"
        "def row_strategy(history):\n"
        "    global games, calls\n"
        "    if not history: games += 1\n"
        "    game, calls = calls % games if history else games - 1, calls + bool(history)\n"
        "    past = seen.setdefault(game, [])\n"
        "    assert [mine for mine, _ in history] == past, (game, history, past)\n"
        "    assert all(type(pair) is tuple and type(pair[1]) is int for pair in history)\n"
        "    past.append((game + len(history)) % 2)\n"
        "    history.clear()\n"
        "    return past[-1]\n"
    )
    assert graded(engine, "prisoners-dilemma", code).invalid is None


@pytest.mark.parametrize(
    ("artifact", "reason"),
    [
        ({}, "strategy.py is missing"),
        ({"strategy.py": b"", "more.py": b""}, "'more.py' is not part of the artifact"),
        ({"strategy.py": b"#" * 65537}, "65537 bytes, at most 65536"),
        ({"strategy.py": b"x = '\xff'"}, "not UTF-8 text (byte 5)"),
        ({"strategy.py": b"x = 1\0"}, "NUL"),
    ],
)
def test_an_artifact_of_another_form_never_reaches_a_container(artifact: dict[str, bytes], reason: str) -> None:
    from harness.grading.base import GradeJob
    from harness.grading.play import grade_play
    from harness.schema.task import load_task

    folder = TASKS / "battle-of-sexes"
    job = GradeJob(load_task(folder), folder, "smoke", "sealed", artifact, bytes(32))
    verdict = grade_play(job, engine=None)  # type: ignore[arg-type]
    assert reason in (verdict.invalid or "")
