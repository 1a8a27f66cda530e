"""An episode that is killed at any point goes on: nothing is paid twice, at most the step in flight is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.agents.base import Briefing, Observation
from harness.llm.journal import read_journal
from harness.llm.spending import Ledger
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.schema.episode import Episode
from harness.schema.steps import Action, read_steps
from harness.schema.task import tasks_root
from tests.harness.runner.run_once import PRICE, TASK, forked, models, one_episode, whole_run
from tests.servers.answers import Answer, Call, Say, tool
from tests.servers.asker import Asker
from tests.servers.models import Asked, model_server

KILLS, SEEDS, COUNTS = 20, 4, 9
COMMANDS = [
    "cat baseline.py",
    "echo 1 > counter",
    *["echo $(( $(cat counter) + 1 )) > counter; cat counter; sleep 0.05"] * COUNTS,
    "cp baseline.py strategy.py",
]


def script(asked: Asked) -> Answer:
    """The next command by the number of answers in the history, then validate, then submit."""
    place = sum(message["role"] == "assistant" for message in asked.messages)
    if place < len(COMMANDS):
        return tool("bash", command=COMMANDS[place])
    return tool("validate") if place == len(COMMANDS) else tool("submit")


@pytest.mark.timeout(1200)
def test_killed_at_twenty_random_points(tmp_path: Path) -> None:
    """Each life of the run is killed a random moment after a random request; the twenty-first lives to the end."""
    chance = random.Random(5)
    with model_server(script) as server:
        for _ in range(KILLS):
            before = recorded(tmp_path)
            child = forked(whole_run, server.openai, tmp_path, SEEDS)
            enough, deadline = len(server.asked) + chance.randint(1, 3), time.monotonic() + 120
            while time.monotonic() < deadline and len(server.asked) < enough and child.is_alive():
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.1))
            assert child.is_alive(), "killed in the middle, every time"
            child.kill()
            child.join()
            after = recorded(tmp_path)
            assert all(after[name].startswith(lines) for name, lines in before.items()), "what was recorded stays"
        last = forked(whole_run, server.openai, tmp_path, SEEDS)
        last.join(300)
        assert last.exitcode == 0
    lost = sum([check(tmp_path / TASK / f"seed-{seed}") for seed in range(SEEDS)])
    assert lost <= KILLS
    assert len(server.bill) <= SEEDS * (len(COMMANDS) + 2) + lost, "only a call in flight at a kill is paid again"
    assert server.cost_usd(PRICE) <= Ledger(tmp_path).spent_usd() + 1e-9


def recorded(folder: Path) -> dict[Path, bytes]:
    """The whole lines of every steps.jsonl."""
    files = folder.rglob("steps.jsonl")
    return {file: file.read_bytes()[: file.read_bytes().rfind(b"\n") + 1] for file in files}


def check(folder: Path) -> int:
    """A finished episode as if it had never been killed; the number of its lost calls."""
    done = Episode.from_json((folder / "episode.json").read_bytes())
    journal = list(read_journal(folder / "calls.jsonl"))
    answered = Counter(line.call.request_sha256 for line in journal if not line.call.lost)
    assert done.exit_status == "success" and done.steps == len(COMMANDS) + 2
    assert set(answered.values()) == {1} and len(answered) == done.steps, "every request has one answer"
    steps = list(read_steps(folder / "steps.jsonl"))
    counts = [str(number) for number in range(2, 2 + COUNTS)]
    assert [line.observation for line in steps][2 : 2 + COUNTS] == counts, "the workspace was rebuilt"
    assert [call.index for line in steps for call in line.calls] == [line.call.index for line in journal]
    assert done.usage.reported_cost_usd == pytest.approx(sum(line.call.cost_usd or 0.0 for line in journal))
    return sum(line.call.lost for line in journal)


@pytest.mark.timeout(600)
def test_four_processes_and_ten_cents(tmp_path: Path) -> None:
    """Four episodes of one run at a time: together they stop at the run's limit, not at four times it."""
    limit, talk = 0.10, Say(calls=(Call("bash", {"command": "cp baseline.py strategy.py"}),), output_tokens=190)
    with model_server(lambda asked: talk) as server:
        players = [forked(one_episode, server.openai, tmp_path, seed, limit) for seed in range(4)]
        for player in players:
            player.join(300)
        assert [player.exitcode for player in players] == [0] * 4
        assert server.cost_usd(PRICE) <= limit, "not even by the calls in flight"
        assert server.cost_usd(PRICE) > 0.7 * limit, "and the limit is used"
    for seed in range(4):
        done = Episode.from_json((tmp_path / TASK / f"seed-{seed}" / "episode.json").read_bytes())
        assert done.exit_status == "cost" and done.attempts[-1].artifact_sha256 is not None
    assert Ledger(tmp_path).spent_usd() == pytest.approx(server.cost_usd(PRICE))


@pytest.fixture
def blotto() -> Place:
    with open_engine("local") as engine:
        yield place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


class Dies(Asker):
    """Asker, until its own process would be dead."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def act(self, observation: Observation) -> Action:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return super().act(observation)


def test_what_the_agent_is_told_again_is_what_it_was_told(blotto: Place, tmp_path: Path) -> None:
    """Interrupted after the validate: the resumed agent sees the same, and the validate is not graded again."""
    folder = tmp_path / "episode"
    with model_server(script) as server:
        with pytest.raises(KeyboardInterrupt):
            run_episode(blotto, Dies(len(COMMANDS) + 1), 0, folder, models=models(server.openai, tmp_path))
        before = (folder / "steps.jsonl").read_bytes()
        requests = [asked.body for asked in server.asked]
        done = run_episode(blotto, Asker(), 0, folder, models=models(server.openai, tmp_path))
        assert len(server.asked) == len(requests) + 1
        assert server.asked[-1].messages[:-1] == requests[-1]["messages"] + server.asked[-1].messages[-2:-1]
    assert (folder / "steps.jsonl").read_bytes().startswith(before)
    assert [attempt.kind for attempt in done.attempts] == ["validate", "submit"]
    assert done.attempts[0].validation is not None and done.exit_status == "success"
    assert done.usage.reported_cost_usd == pytest.approx(server.cost_usd(PRICE), abs=1e-9)


class Other(Asker):
    """Says something else from its third step on."""

    def begin(self, briefing: Briefing) -> None:
        super().begin(briefing)
        self._number = 0

    def act(self, observation: Observation) -> Action:
        self._number += 1
        action = super().act(observation)
        return action if self._number < 3 else action.model_copy(update={"thought": "another way"})


def test_an_agent_that_goes_another_way_goes_it(blotto: Place, tmp_path: Path) -> None:
    folder = tmp_path / "episode"
    with model_server(script) as server:
        with pytest.raises(KeyboardInterrupt):
            run_episode(blotto, Dies(6), 0, folder, models=models(server.openai, tmp_path))
        done = run_episode(blotto, Other(), 0, folder, models=models(server.openai, tmp_path))
    lines = list(read_steps(folder / "steps.jsonl"))
    assert [line.step for line in lines] == list(range(1, done.steps + 1))
    assert lines[1].action.thought == "" and lines[2].action.thought == "another way"
    aside = list(folder.glob("steps.jsonl.unfinished-*"))
    assert len(aside) == 1 and len(list(read_steps(aside[0]))) == 6


def limited(place: Place, **limits: int) -> Place:
    task = place.task.model_copy(update={"limits": place.task.limits.model_copy(update=limits)})
    return Place(task, place.folder, "smoke", place.engine)


def test_a_limit_hands_in_the_last_valid_artifact(blotto: Place, tmp_path: Path) -> None:
    spoil = "echo 'def row_strategy(history): return None' > strategy.py"
    play: list[Answer] = [
        tool("bash", command="cp baseline.py strategy.py"),
        tool("validate"),
        tool("bash", command=spoil),
    ]
    with model_server(play) as server:
        done = run_episode(limited(blotto, steps=3), Asker(), 0, tmp_path / "a", models=models(server.openai, tmp_path))
    assert done.exit_status == "max_steps"
    validated, submitted = done.attempts
    assert submitted.kind == "submit" and submitted.artifact_sha256 == validated.artifact_sha256
    assert submitted.sealed is not None and submitted.sealed.valid
    last = list(read_steps(tmp_path / "a" / "steps.jsonl"))[-1]
    assert last.by == "harness" and "attempt 0 again" in last.observation
    gone: list[Answer] = [*play[:2], tool("bash", command="rm strategy.py")]
    with model_server(gone) as server:
        done = run_episode(limited(blotto, steps=3), Asker(), 0, tmp_path / "b", models=models(server.openai, tmp_path))
    assert done.attempts[-1].artifact_sha256 == done.attempts[0].artifact_sha256


def test_the_cost_limit_names_itself_and_hands_in(blotto: Place, tmp_path: Path) -> None:
    talk = [tool("bash", command="cp baseline.py strategy.py"), Say("word " * 200)]
    with model_server(talk) as server:
        books = models(server.openai, tmp_path, limit_usd=0.02)
        done = run_episode(blotto, Asker(), 0, tmp_path / "a", models=books)
        assert done.exit_status == "cost" and "run's $0.02" in (done.exit_detail or "")
        assert done.attempts[-1].sealed is not None and done.attempts[-1].sealed.valid
        assert 0.01 < server.cost_usd(PRICE) <= 0.02
