"""Classes of submitters: the example works, and one that raises, blocks or returns garbage is a recorded episode."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Briefing, Observation
from harness.agents.custom import class_agent
from harness.errors import UsageError
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.schema.episode import Usage
from harness.schema.steps import Action
from harness.schema.task import tasks_root

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def blotto() -> Iterator[Place]:
    with open_engine("local") as engine:
        yield place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


class Whole:
    """Does what an agent must; the others differ in one thing."""

    name, version, model = "whole", "1", None
    command = "true"

    def begin(self, briefing: Briefing) -> None:
        self.first = True

    def act(self, observation: Observation) -> Any:
        if self.first:
            self.first = False
            return Action(kind="bash", command=self.command)
        return self.then()

    def then(self) -> Any:
        return Action(kind="submit")

    def usage(self) -> Any:
        return Usage()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def raising(error: BaseException) -> type[Whole]:
    class Raises(Whole):
        def then(self) -> Any:
            raise error

    return Raises


def returning(answer: Any) -> type[Whole]:
    class Returns(Whole):
        def then(self) -> Any:
            return answer

    return Returns


class NotAtBegin(Whole):
    def begin(self, briefing: Briefing) -> None:
        raise KeyError("no such task")


circle: dict[str, Any] = {}
circle["self"] = circle
FAULTS = {
    "raises": (raising(ValueError("boom")), "ValueError: boom"),
    "exits": (raising(SystemExit(3)), "SystemExit: 3"),
    "has no words": (raising(Unspeakable()), "Unspeakable"),
    "raises at begin": (NotAtBegin, "no such task"),
    "returns None": (returning(None), "returned NoneType, not an Action"),
    "returns a dict": (returning({"kind": "submit"}), "returned dict"),
    "returns a circle": (
        returning(Action.model_construct(kind="tool", tool="open", arguments=circle)),
        "cannot be recorded",
    ),
    "returns another kind": (returning(Action.model_construct(kind="format-disk")), "cannot be recorded"),
    "returns a broken text": (returning(Action.model_construct(kind="bash", command="\ud800")), "cannot be recorded"),
}


@pytest.mark.parametrize(("kind", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_class_is_a_recorded_episode(
    kind: type[Whole], said: str, blotto: Place, tmp_path: Path
) -> None:
    episode = run_episode(blotto, kind(), 0, tmp_path / "episode")
    assert episode.exit_status == "runtime" and said in (episode.exit_detail or ""), episode.exit_detail
    assert episode.attempts[-1].kind == "submit", "what was there is handed in"


class Blocks(Whole):
    command = "cp baseline.py strategy.py"

    def then(self) -> Any:
        time.sleep(3600)


def test_one_that_blocks_meets_the_wall_time(blotto: Place, tmp_path: Path) -> None:
    limits = blotto.task.limits.model_copy(update={"wall_time_s": 4.0})
    place = Place(blotto.task.model_copy(update={"limits": limits}), blotto.folder, "smoke", blotto.engine)
    begun = time.monotonic()
    episode = run_episode(place, Blocks(), 0, tmp_path / "episode")
    assert episode.exit_status == "wall_time" and "act()" in (episode.exit_detail or "")
    assert (episode.usage.wall_s or 0) < 30 and time.monotonic() - begun < 60
    assert episode.attempts[-1].sealed is not None and episode.attempts[-1].sealed.valid


class BadUsage(Whole):
    def usage(self) -> Any:
        return 7


def test_a_usage_that_is_none_is_said_and_costs_nothing_else(blotto: Place, tmp_path: Path) -> None:
    episode = run_episode(blotto, BadUsage(), 0, tmp_path / "episode")
    assert (episode.exit_status, episode.exit_detail) == (
        "evaluation_error",
        "the agent's usage() returned int, not a Usage",
    )


def test_the_example_of_the_documentation_runs(blotto: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    make = class_agent("examples.random_blotto:RandomSearch")
    first, again = (run_episode(blotto, make(), 3, tmp_path / name) for name in ("first", "again"))
    assert (first.exit_status, first.trace) == ("success", "PAPAPAPU")
    one, other = ([attempt.artifact_sha256 for attempt in episode.attempts] for episode in (first, again))
    assert one == other, "one seed, one way"


MODULE = """
class Fine:
    name, version, model = "fine", "1", None
    def __init__(self, size=1): self.size = size
    def begin(self, briefing): ...
    def act(self, observation): ...
    def usage(self): ...
class Needs(Fine):
    def __init__(self, key): ...
class Nameless(Fine):
    name = ""
class Deaf(Fine):
    def act(self): ...
class Mute(Fine):
    usage = None
class Several(Nameless):
    version = 7
    begin = None
not_a_class = 3
"""
REFUSED = {
    "my_agents": "write it as package.module:Class",
    "my_agents:": "write it as",
    ":Fine": "write it as",
    "my_agents:no()": "write it as",
    "no_such_module:Fine": "there is no module 'no_such_module'",
    "my_broken:Fine": "fails on import: ZeroDivisionError",
    "my_agents:Fime": "its classes: Deaf, Fine, Mute, Nameless, Needs, Several",
    "my_agents:not_a_class": "has no class not_a_class",
    "my_agents:Needs": "cannot be made without arguments: TypeError",
    "my_agents:Nameless": "its attribute name must be",
    "my_agents:Deaf": "its act must be callable as act(observation)",
    "my_agents:Mute": "it has no method usage()",
    "my_agents:Several": "it has no method begin(briefing); its attribute name must be",
}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_agents.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("my_agents", "my_broken"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(("name", "said"), REFUSED.items(), ids=REFUSED)
def test_what_is_no_agent_is_refused_with_every_reason(name: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        class_agent(name)()
    assert said in str(refused.value)


@pytest.mark.usefixtures("module")
def test_each_episode_gets_an_agent_of_its_own_with_the_settings() -> None:
    make = class_agent("my_agents:Fine", {"size": 4})
    assert make() is not make() and make().size == 4  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="with colour: TypeError"):
        class_agent("my_agents:Fine", {"colour": 4})()
