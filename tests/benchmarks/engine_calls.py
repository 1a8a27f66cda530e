"""What an episode in Docker waits for: `python -m tests.benchmarks.engine_calls [--episodes 16]`.

Takes the number of episodes, plays so many smoke episodes of colonel-blotto with the baseline agent in one process and
then in two at once, prints where the time of an episode goes, call of the engine by call, with one and with two. What
grows with the second process is what they wait for together: the engine's locks, the kernel's, a processor. `reading`
is the wait for what runs in a container, by each of our threads that reads; the rest is our own. Needs the built cpu
image; DOCKER_HOST names the engine.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker import APIClient

from harness.executors.drive import drive
from harness.executors.here import Here
from harness.executors.words import RunWords
from harness.sandbox import open_engine
from harness.sandbox.docker_stream import EngineStream

TASK = "colonel-blotto"
IDS = re.compile(r"/(v[\d.]+|[0-9a-f]{64}|gymboard-[0-9a-f]+|sha256:[0-9a-f]+)(?=/|$)")
Spent = dict[str, list[float]]
"""Seconds of every call, by its name."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--player", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.player:
        print(json.dumps(played(asked.episodes, asked.player)))
        return
    with tempfile.TemporaryDirectory() as made:
        found = [together(jobs, asked.episodes // jobs, Path(made) / str(jobs)) for jobs in (1, 2)]
    tables = [shares(spent, asked.episodes) for spent, _ in found]
    print(f"{'ms of an episode':44} calls   one   two  times")
    for name in sorted(tables[0].keys() | tables[1].keys(), key=lambda name: -tables[1].get(name, (0, 0))[1]):
        (count, one), (_, two) = (table.get(name, (0.0, 0.0)) for table in tables)
        print(f"{name:44} {count:5.1f} {one:5.0f} {two:5.0f}  {two / max(one, 0.1):5.2f}")
    walls = [wall_s / asked.episodes for _, wall_s in found]
    print(f"two at once: {walls[0] / walls[1]:.2f} times as many episodes")


def together(jobs: int, episodes: int, folder: Path) -> tuple[list[Spent], float]:
    """What each of so many processes spent where, and the seconds until the last of them was done."""
    words = [sys.executable, "-m", "tests.benchmarks.engine_calls", "--episodes", str(episodes), "--player"]
    ends = [
        subprocess.Popen([*words, str(folder / f"player-{number}")], stdin=-1, stdout=-1, text=True)
        for number in range(jobs)
    ]
    time.sleep(2.0)  # everything is imported
    begun = time.monotonic()
    for end in ends:
        assert end.stdin
        end.stdin.close()
    spent = [json.loads(end.stdout.read()) for end in ends if end.stdout]
    wall_s = time.monotonic() - begun
    assert not any(end.wait() for end in ends)
    return spent, wall_s


def shares(spent: list[Spent], episodes: int) -> dict[str, tuple[float, float]]:
    """By name: calls of an episode, and milliseconds of it."""
    lists: Spent = defaultdict(list)
    for one in spent:
        for name, seconds in one.items():
            lists[name] += seconds
    return {name: (len(all_s) / episodes, 1000 * sum(all_s) / episodes) for name, all_s in lists.items()}


def played(episodes: int, folder: Path) -> Spent:
    """Episodes one after another in this process, once our input ends."""
    spent: Spent = defaultdict(list)
    send, receive = APIClient.send, EngineStream.receive
    APIClient.send = timed(spent, send, lambda request: f"{request.method} {IDS.sub('', path_of(request.url))}")  # type: ignore[method-assign]
    EngineStream.receive = timed(spent, receive, lambda seconds: "reading")  # type: ignore[method-assign]
    words = RunWords(
        run="calls",
        folder=folder,
        tasks=(TASK,),
        seeds=tuple(range(episodes)),
        profile="smoke",
        agent="baseline",
        sandbox="docker",
    )
    with open_engine("docker") as engine:
        runs = drive(words, words.plan(), engine, Here(), lambda told: None, threading.Event())
        sys.stdin.read()
        spent.clear()
        begun = time.monotonic()
        assert all(one.episode for one in runs)
        spent["an episode"] = [(time.monotonic() - begun) / episodes] * episodes
    return spent


def path_of(url: str) -> str:
    return re.sub(r"^[^:]+://[^/]+|\?.*", "", url)


def timed(spent: Spent, call: Callable[..., Any], name: Callable[[Any], str]) -> Callable[..., Any]:
    @functools.wraps(call)
    def timed_call(self: Any, first: Any, *words: Any, **more: Any) -> Any:
        begun = time.monotonic()
        try:
            return call(self, first, *words, **more)
        finally:
            spent[name(first)].append(time.monotonic() - begun)

    return timed_call


if __name__ == "__main__":
    main()
