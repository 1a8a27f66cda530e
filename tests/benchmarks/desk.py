"""How many agents one desk serves: questions to the ledger, steps and news, from threads as the actor's own.

    python -m tests.benchmarks.desk

A thousand episodes that each reserve, settle, journal an answer and record a step. No Ray: what the desk itself takes,
on this disk. Prints calls a second, and how many agents that is at ten seconds a step.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.clock import now
from harness.executors.copies import Change
from harness.executors.desk import Desk
from harness.runner.phases import LOG
from harness.runner.progress import Progress

EPISODES, ROUNDS, THREADS, STEP_S = 1000, 3, 16, 10.0
SHA256 = "0" * 64
LINE = b'{"a": "' + b"x" * 2000 + b'"}\n'
TARGET = 1000


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="desk-") as scratch:
        run = Path(scratch)
        (run / "run.json").write_bytes(b"{}")
        keys = [f"house-price/seed-{number}" for number in range(EPISODES)]
        desk = Desk(run, 1e6, run / LOG, dict.fromkeys(keys, "card"))
        lives = {key: desk.begin(key, "card").value.life for key in keys}
        names: dict[str, str] = {}

        def reserve(key: str, turn: int) -> None:
            answer = desk.spending(key, lives[key], "reserve", key, 0.01, 4.0, now(), SHA256)
            names[key] = str(answer.value)

        def settle(key: str, turn: int) -> None:
            desk.spending(key, lives[key], "settle", names[key], 0.005, now(), SHA256)

        def journal(key: str, turn: int) -> None:
            desk.put(key, lives[key], [Change("calls.jsonl", turn * len(LINE), LINE)])

        def step(key: str, turn: int) -> None:
            desk.put(key, lives[key], [Change("steps.jsonl", turn * len(LINE), LINE)])

        def tell(key: str, turn: int) -> None:
            desk.told(Progress(key, "bash", turn, 50, 1.0, 4.0, None, 0.1), "card")

        took = {act.__name__: timed(act, keys) for act in (reserve, settle, journal, step, tell)}
        for name, seconds in took.items():
            print(f"{name:<8} {1 / seconds:9.0f} a second")
        one = sum(took.values())
        print(
            f"a step   {one * 1000:9.2f} ms of the desk; agents at {STEP_S:g} s a step: "
            f"target >= {TARGET}, measured {STEP_S / one:.0f}"
        )


def timed(act: Callable[[str, int], None], keys: list[str]) -> float:
    """Seconds of a call, over all episodes, several rounds, as many threads at a time."""
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for turn in range(ROUNDS):
            list(pool.map(lambda key, at=turn: act(key, at), keys))
    return (time.monotonic() - begun) / (ROUNDS * len(keys))


if __name__ == "__main__":
    main()
