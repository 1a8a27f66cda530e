"""Runs of several episodes at a time as a user has them: begun, disturbed, gone on with, and what may be left of them.

Takes the words of `gymboard run`, gives processes and what they left. Every run has a temporary folder of its own, so
that what it leaves there is seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker

from harness.agents.base import Observation
from harness.llm.journal import read_journal
from harness.sandbox.docker import OWNER
from harness.schema.prices import Price
from harness.schema.steps import Action
from tests.servers.answers import Call, Say
from tests.servers.asker import Asker
from tests.servers.models import Asked, ModelServer

ROOT = Path(__file__).resolve().parents[3]
PRICE = Price(models=("m",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")
TASK, SEEDS = "house-price", 3
PREDICT = """python3 -I -c "
import csv, os
rows = csv.DictReader(open(os.environ['GYMBOARD_DATA'] + '/inputs.csv'))
lines = [row['id'] + ',' + str(100 * int(row['GrLivArea'])) for row in rows]
open('submission.csv', 'w').write(chr(10).join(['id,SalePrice', *lines]) + chr(10))
"
"""
COMMANDS = ["echo begun > notes", PREDICT, "echo done >> notes; cat notes"]
STEPS = len(COMMANDS) + 2
TIMES = ("started", "time", "timestamp", "created", "wall_s", "duration_s", "elapsed_s")
BILL = ("calls", "usage")
GOING_S = 15.0
NOTHING = {"episodes lost": 0, "episodes paid twice": 0, "leaked": 0}
"""What every row of the fault table counts."""


class Steady(Asker):
    """Says nothing of the time, so that every run asks the same."""

    def act(self, observation: Observation) -> Action:
        return super().act(replace(observation, left=None))


def script(asked: Asked) -> Say:
    """The next command by the number of answers in the history, then validate, then submit."""
    place = sum(message["role"] == "assistant" for message in asked.messages)
    name, words = [*[("bash", {"command": line}) for line in COMMANDS], ("validate", {}), ("submit", {})][place]
    return Say(calls=(Call(name, words, f"call_{place}"),))


@dataclass
class Side:
    """One run in a folder of its own."""

    folder: Path
    sandbox: str = "local"
    seeds: int = SEEDS
    environment: Mapping[str, str] = field(default_factory=dict)
    pids: set[int] = field(default_factory=set)

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "side"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def words(self, server: ModelServer | None, *more: str) -> list[str]:
        """The call. Without a server the agent is nop."""
        agent = ["--agent", "tests.harness.executors.side:Steady"] if server else ["--agent", "nop"]
        model = ["--model", "openai/m", "--api-base", server.openai, "--price", "3,15"] if server else []
        task = ["--tasks", TASK, "--profile", "smoke", "--sandbox", self.sandbox, "--seeds", str(self.seeds)]
        run = [sys.executable, "-m", "gymboard", "run", *agent, *task, "--runs", str(self.run.parent), "--run", "side"]
        return [*run, *model, *more]

    def begin(self, server: ModelServer | None, *more: str) -> subprocess.Popen[str]:
        """The command, begun."""
        self.temporary.mkdir(parents=True, exist_ok=True)
        known = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        env = known | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.temporary), **self.environment}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = subprocess.Popen(self.words(server, *more), env=env, cwd=ROOT, text=True, **pipes)
        self.pids.add(child.pid)
        return child

    def end(self, server: ModelServer | None, *more: str) -> tuple[int, str]:
        """The command to its end: exit code and what it said on stderr."""
        return ended(self.begin(server, *more))

    def workers(self, child: subprocess.Popen[str]) -> list[int]:
        """The worker processes of a running command."""
        try:
            text = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text()
        except OSError:  # it has ended
            return []
        found = [int(pid) for pid in text.split() if b"executors.worker" in _words_of(int(pid))]
        self.pids.update(found)
        return found

    def left(self) -> list[str]:
        """Temporary folders, containers and processes of this run that stay: what a killed worker left, another test's
        engine may be removing at this moment."""
        deadline = time.monotonic() + GOING_S
        while (found := self._there()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _there(self) -> list[str]:
        found = [path.name for path in self.temporary.iterdir()] if self.temporary.is_dir() else []
        found += [f"worker {pid}" for pid in self.pids if b"executors.worker" in _words_of(pid)]
        with contextlib.suppress(docker.errors.DockerException), contextlib.closing(docker.from_env()) as client:
            for one in client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True):
                if int(one.labels[OWNER].partition("-")[0]) in self.pids:
                    found.append(f"container {one.name}")
        return found

    def answered(self) -> list[tuple[str, str]]:
        """Episode and request of every answer that some journal of the run holds, each paid."""
        journals = {file.parent.name: read_journal(file) for file in self.run.rglob("calls.jsonl")}
        calls = [(key, line.call) for key, lines in journals.items() for line in lines]
        return [(key, call.request_sha256) for key, call in calls if not call.lost]

    def lost(self) -> int:
        """Calls that a kill cut off."""
        return sum(line.call.lost for file in self.run.rglob("calls.jsonl") for line in read_journal(file))

    def asked(self, child: subprocess.Popen[str], server: ModelServer, more: int) -> None:
        """Wait until so many more requests have come, with workers at work."""
        enough = len(server.asked) + more
        until(lambda: (len(server.asked) >= enough and self.workers(child)) or child.poll() is not None)
        assert child.poll() is None, "disturbed in the middle, every time"

    def record(self, *, bill: bool = True) -> dict[str, Any]:
        """Everything that the run left and a bundle is made of, without its moments and durations; without `bill` also
        without the calls that were paid."""
        files = [path for path in sorted(self.run.rglob("*")) if path.is_file() and ".locks" not in path.parts]
        names = KEPT if bill else tuple(name for name in KEPT if name != "trajectory.json")
        dropped = TIMES if bill else (*TIMES, *BILL)
        kept = {path: timeless(path, dropped) for path in files if path.name in names}
        kept |= {path: path.read_bytes() for path in files if "attempts" in path.parts}
        return {path.relative_to(self.run).as_posix(): content for path, content in kept.items()}


KEPT = ("run.json", "episode.json", "trajectory.json", "steps.jsonl", "workspace.patch")


def timeless(file: Path, dropped: tuple[str, ...]) -> Any:
    """What a file says beside the `dropped` fields."""
    text = file.read_text()
    if file.suffix == ".jsonl":
        return [_without(json.loads(line), dropped) for line in text.splitlines()]
    return _without(json.loads(text), dropped) if file.suffix == ".json" else text


def _without(value: Any, dropped: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_without(one, dropped) for one in value]
    if isinstance(value, dict):
        return {name: _without(one, dropped) for name, one in value.items() if name not in dropped}
    return value


def ended(child: subprocess.Popen[str], within_s: float = 300) -> tuple[int, str]:
    """Exit code and stderr."""
    _, said = child.communicate(timeout=within_s)
    return child.returncode, said


def interrupted_twice(child: subprocess.Popen[str]) -> None:
    """Ctrl-C, which waits for the steps that run, and then another, which ends the command at once."""
    child.send_signal(signal.SIGINT)
    assert child.stderr is not None
    until(lambda: "finishes its step" in child.stderr.readline())
    assert child.poll() is None, "the first waits for the steps"
    child.send_signal(signal.SIGINT)
    code, said = ended(child, within_s=120)
    assert code == 130 and "--resume" in said, said


def until(there: Callable[[], object], within_s: float = 300, every_s: float = 0.01) -> None:
    """Wait for something to be so; `every_s`: how often a look is worth its cost."""
    deadline = time.monotonic() + within_s
    while not there():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(every_s)


def kill(pid: int) -> None:
    """At once."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def counted(side: Side, server: ModelServer) -> Iterator[tuple[str, int]]:
    """The counts of a fault's row. Paid twice: an answer that was had already, or one that nobody's books know of. A
    call in flight at a kill is in the books, as lost, whether or not it reached the provider."""
    episodes, answers = list(side.run.glob(f"{TASK}/seed-?/episode.json")), side.answered()
    unknown = max(0, len(server.bill) - len(answers) - side.lost())
    yield "episodes lost", side.seeds - len(episodes)
    yield "episodes paid twice", len(answers) - len(set(answers)) + unknown
    yield "leaked", len(side.left())
