"""Classes of submitters: the example works, and one that raises, blocks or returns garbage is a recorded episode."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Briefing, Observation
from harness.agents.custom import class_agent
from harness.errors import EpisodeOver, UsageError
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.sandbox.owner import folder_prefix
from harness.schema.episode import Usage
from harness.schema.steps import Action
from harness.schema.task import tasks_root
from harness.schema.trajectory import Trajectory

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


class Cheap(Whole):
    """Says that it paid less than nothing, so that the sum with what the meter counted is small."""

    def usage(self) -> Any:
        return Usage.model_construct(input_tokens=-1_000_000, api_calls=1, reported_cost_usd=-3.0)


class Disguised(Whole):
    """Other names at the end than at the beginning, and settings that are no record."""

    def __init__(self) -> None:
        self.settings = {"depth": 3}

    def act(self, observation: Observation) -> Any:
        self.name, self.version = 5, "\n"  # type: ignore[assignment]
        return Action(kind="submit")


circle: dict[str, Any] = {}
circle["self"] = circle
FAULTS = {
    "raises": (raising(ValueError("boom")), "ValueError: boom"),
    "exits": (raising(SystemExit(3)), "SystemExit: 3"),
    "ends as it likes": (raising(EpisodeOver("success", "done")), "'success', which is no way to end one"),  # type: ignore[arg-type]
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


def test_nobody_pays_less_than_nothing(blotto: Place, tmp_path: Path) -> None:
    episode = run_episode(blotto, Cheap(), 0, tmp_path / "episode")
    assert "is no Usage" in (episode.exit_detail or "")
    assert (episode.usage.input_tokens, episode.usage.reported_cost_usd) == (0, None)


def test_an_agent_is_called_what_it_was_called_at_first(blotto: Place, tmp_path: Path) -> None:
    run_episode(blotto, Disguised(), 0, tmp_path / "episode")
    agent = Trajectory.from_json((tmp_path / "episode" / "trajectory.json").read_bytes()).agent
    assert (agent.name, agent.version, agent.extra) == ("whole", "1", None)


def test_a_folder_deeper_than_pythons_stack_ends_with_its_sandbox(blotto: Place, tmp_path: Path) -> None:
    class Deep(Whole):
        command = "for i in $(seq 1200); do mkdir d && cd d; done; cd; mkdir -p locked/in && chmod 000 locked/in locked"

    assert run_episode(blotto, Deep(), 0, tmp_path / "episode").exit_status == "evaluation_error"
    left = [
        folder for folder in Path(tempfile.gettempdir()).glob(f"{folder_prefix()}*") if (folder / "workspace").exists()
    ]
    assert left == []


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
class Boastful(Fine):
    declares = "gateway"
class Leaves(Fine):
    def __init__(self): raise SystemExit(0)
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
    "my_script:Fine": "fails on import: SystemExit",
    "my_agents:Boastful": "its attribute declares must be a tuple of lines",
    "my_agents:Leaves": "cannot be made without arguments: SystemExit",
    "my_agents:Fime": "its classes: Boastful, Deaf, Fine, Leaves, Mute, Nameless, Needs, Several",
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
    (tmp_path / "my_script.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("my_agents", "my_broken", "my_script"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(("name", "said"), REFUSED.items(), ids=REFUSED)
def test_what_is_no_agent_is_refused_with_every_reason(name: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        class_agent(name)()
    assert said in str(refused.value)


@pytest.mark.usefixtures("module")
def test_each_episode_gets_an_agent_of_its_own_with_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("size = 4\n")
    make = class_agent("my_agents:Fine", file)
    assert make() is not make() and make().size == 4  # type: ignore[attr-defined]
    (declared,) = make().declares  # type: ignore[attr-defined]
    assert declared == f"settings sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    for text, said in (("colour = 4", "with colour: TypeError"), ("size =", "--agent-file")):
        file.write_text(text)
        with pytest.raises(UsageError, match=said):
            class_agent("my_agents:Fine", file)()


class Mumbling(Whole):
    """Cannot say what its tools are."""

    @property
    def tool_schemas(self) -> Any:
        raise ValueError("none of your business")


def test_an_agent_that_cannot_say_what_its_tools_are_is_recorded(blotto: Place, tmp_path: Path) -> None:
    episode = run_episode(blotto, Mumbling(), 0, tmp_path / "episode")
    assert episode.exit_status == "runtime"
    assert "none of your business" in (episode.exit_detail or "")
