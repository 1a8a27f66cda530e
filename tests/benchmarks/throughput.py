"""Episodes side by side: `python -m tests.benchmarks.throughput [--episodes 200] [--sandbox local] [--answer-s S]`.

Takes the number of episodes, plays so many smoke episodes of colonel-blotto with the baseline agent one at a time and
two at a time, prints how much faster two are (target: 1.7 times on a machine with two processors that are otherwise
idle) and what the harness itself takes of the time of one at a time (target: at most 5 %): everything but containers,
commands and grades, counted where the engine and the graders are called. The peer is the engine alone: bare containers
made, started and removed by one client and by two, which bounds what two episodes can gain. With `--answer-s` the
agent asks a language model on loopback three times, which answers after so many seconds; the harness'
share is that of the baseline agent. Never measured in a test.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.engine import connect
from harness.executors.drive import drive
from harness.executors.here import Here
from harness.executors.words import RunWords
from harness.grading import base as grading
from harness.images import image_id
from harness.runner import place
from harness.sandbox import open_engine
from harness.sandbox.docker import DockerEngine
from harness.sandbox.docker_box import DockerSandbox
from harness.sandbox.local import LocalEngine
from harness.sandbox.local_box import LocalSandbox
from tests.servers.answers import tool
from tests.servers.models import model_server

TASK = "colonel-blotto"
TIMES_TARGET, OVERHEAD_TARGET = 1.7, 0.05
PLACES = {"docker": (DockerEngine, DockerSandbox), "local": (LocalEngine, LocalSandbox)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--sandbox", choices=("docker", "local"), default="docker")
    parser.add_argument("--answer-s", type=float)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        with agent(asked.answer_s) as chosen:
            walls = {jobs: played(asked.episodes, asked.sandbox, jobs, Path(made), chosen) for jobs in (1, 2)}
        for jobs, wall_s in walls.items():
            print(f"{jobs} at a time: {wall_s:.1f} s, {60 * asked.episodes / wall_s:.1f} episodes a minute")
        print(f"two against one: {walls[1] / walls[2]:.2f} times (target {TIMES_TARGET})")
        if asked.sandbox == "docker":
            print(f"peer, bare containers: {bare(2) / bare(1):.2f} times")
        wall_s, outside_s = counted(min(asked.episodes, 20), asked.sandbox, Path(made))
    share = 1 - outside_s / wall_s
    rest = "the rest is containers, commands, grades"
    print(f"harness: {share:.1%} of {wall_s:.1f} s, {rest} (target {OVERHEAD_TARGET:.0%})")


@contextmanager
def agent(answer_s: float | None) -> Iterator[list[str]]:
    """The words that choose it: the baseline, or one with a model that takes so long for each of its answers."""
    if answer_s is None:
        yield []
        return
    turns = [tool("bash", command="cp baseline.py strategy.py"), tool("validate"), tool("submit")]
    slow = [replace(turn, delay_s=answer_s) for turn in turns]
    with model_server(lambda asked: slow[sum(one["role"] == "assistant" for one in asked.messages)]) as server:
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15", "--yes"]
        yield ["--agent", "tests.servers.asker:Asker", *model]


def played(episodes: int, sandbox: str, jobs: int, folder: Path, chosen: list[str]) -> float:
    """Seconds of a whole `gymboard run`. 64 seeds are the most of one run."""
    begun = time.monotonic()
    for number, seeds in enumerate(_parts(episodes)):
        words = ["--tasks", TASK, "--profile", "smoke", "--sandbox", sandbox, "--seeds", str(seeds)]
        words += ["--jobs", str(jobs), "--runs", str(folder), "--run", f"jobs-{jobs}-{number}", *chosen]
        subprocess.run([sys.executable, "-m", "gymboard", "run", *words], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def bare(clients: int, containers: int = 40) -> float:
    """Bare containers a second that so many clients at once start and remove; each runs a Python as a grader would."""

    def cycle(count: int) -> None:
        client = connect(0)
        for _ in range(count):
            container = client.containers.create(
                image_id("cpu", client), ["python", "-c", "import numpy"], init=True, network_disabled=True
            )
            container.start()
            container.wait()
            container.remove(force=True)

    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(cycle, [containers // clients] * clients))
    return containers / (time.monotonic() - begun)


def _parts(episodes: int) -> Iterator[int]:
    while episodes > 0:
        yield min(64, episodes)
        episodes -= 64


def counted(episodes: int, sandbox: str, folder: Path) -> tuple[float, float]:
    """Seconds of episodes one at a time in this process, and those of them within engine, sandbox and graders."""
    words = RunWords(
        run="counted",
        folder=folder / "counted",
        tasks=(TASK,),
        seeds=tuple(range(episodes)),
        profile="smoke",
        agent="baseline",
        sandbox=sandbox,
    )
    clock = _Clock()
    with _timed(clock, sandbox), open_engine(words.sandbox) as engine:
        runs = drive(words, words.plan(), engine, Here(), lambda told: None, threading.Event())
        begun = time.monotonic()
        assert all(one.episode for one in runs)
        return time.monotonic() - begun, clock.spent_s


class _Clock:
    """Seconds within any of the counted calls; a call within a call counts once."""

    def __init__(self) -> None:
        self.spent_s, self._depth = 0.0, 0

    def counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted_call(*words: Any, **more: Any) -> Any:
            self._depth += 1
            begun = time.monotonic()
            try:
                return call(*words, **more)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.spent_s += time.monotonic() - begun

        return counted_call


@contextmanager
def _timed(clock: _Clock, sandbox: str) -> Iterator[None]:
    engine, box = PLACES[sandbox]
    calls: list[tuple[Any, str]] = [(engine, "__init__"), (engine, "sandbox"), (engine, "close"), (place, "grade")]
    calls += [(box, name) for name in ("exec", "write", "copy_out", "workspace_patch", "close")]
    before = [(owner, name, getattr(owner, name)) for owner, name in calls]
    try:
        for owner, name, call in before:
            setattr(owner, name, clock.counting(call))
        yield
    finally:
        for owner, name, call in before:
            setattr(owner, name, call)


assert grading.grade is place.grade  # the name that the runner calls is the one that is counted

if __name__ == "__main__":
    main()
