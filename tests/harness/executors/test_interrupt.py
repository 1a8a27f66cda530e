"""Ctrl-C once: running steps are finished and kept. Twice: at once. Nothing is left, and --resume goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness.executors.side import SEEDS, STEPS, Side, ended, interrupted_twice, script, until
from tests.servers.answers import Answer
from tests.servers.models import Asked, model_server


def slowly(delay_s: float) -> Callable[[Asked], Answer]:
    """The script, but each answer after an episode's first takes a while."""
    return lambda asked: replace(script(asked), delay_s=delay_s if len(asked.messages) > 1 else 0.0)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_once_finishes_the_steps_that_run(tmp_path: Path, jobs: str) -> None:
    side, side_by_side = Side(tmp_path), int(jobs)
    with model_server(slowly(2.0)) as server:
        child = side.begin(server, "--jobs", jobs)
        until(lambda: sum(len(asked.messages) > 1 for asked in server.asked) >= side_by_side)
        side.workers(child)
        child.send_signal(signal.SIGINT)
        code, said = ended(child)
        assert code == 130 and "--resume" in said and "finishes its step" in said, said
        steps = sum(len(file.read_bytes().splitlines()) for file in side.run.rglob("steps.jsonl"))
        assert steps == len(server.bill) < SEEDS * STEPS, "every paid answer became a step on disk, and it ended early"
        assert (side.lost(), side.left()) == (0, [])
        server.script = script
        code, said = side.end(server, "--jobs", jobs, "--resume")
        assert code == 0, said
        assert len(server.bill) == SEEDS * STEPS, "nothing was paid twice"
    assert side.left() == []


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sandbox", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_twice_ends_them_at_once(tmp_path: Path, jobs: str, sandbox: str) -> None:
    side = Side(tmp_path, sandbox)
    with model_server(slowly(600.0)) as server:
        child = side.begin(server, "--jobs", jobs)
        until(lambda: sum(len(asked.messages) > 1 for asked in server.asked) >= int(jobs))
        side.workers(child)
        interrupted_twice(child)
    assert side.left() == []


def test_a_finished_program_is_ended_where_it_is(tmp_path: Path) -> None:
    """It has no steps to finish, and begins anew: what it handed in meanwhile stays readable."""
    side = Side(tmp_path)
    child = side.begin(
        None, "--agent", "command", "--cmd", "echo 1 > submission.csv; validate; sleep 1000", "--jobs", "2"
    )
    until(lambda: len(list(side.run.glob("house-price/seed-*/attempts/0/submission.csv"))) == 2)
    side.workers(child)
    child.send_signal(signal.SIGINT)
    code, said = ended(child)
    assert code == 130 and "--resume" in said, said
    assert side.left() == [] and not list(side.run.rglob("episode.json"))
