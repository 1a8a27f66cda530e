"""RunWords: everything that a user said of a run, as one record that can be sent to another process or machine.

Takes the words of the call, gives the RunPlan that they mean, made anew wherever it is needed: a plan holds what cannot
be sent (an agent's maker, a model's meter). Never holds a secret: a key is named by the variable that holds it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from harness.executors.aid_words import OWN, AidWords
from harness.executors.model_words import ModelWords
from harness.schema.base import KebabId, Record
from harness.schema.episode import Count
from harness.schema.starter import StarterName
from harness.schema.task import DEFAULT_DATASET, ProfileName
from harness.schema.task import tasks_root as default_root

if TYPE_CHECKING:
    from harness.llm.spending import Books
    from harness.runner.run import RunPlan


class RunWords(Record):
    """One run. `folder` is the run's own, with run.json in it by the time that anybody plays an episode.

    `sandbox` auto is settled by who begins the run. `gpus` as `--gpus` has it, for each agent's container. `source`,
    `command`, `program`, `agent_name` and `agent_file` are the agent's options. `tasks_root` None: the tasks that the
    installed package carries, wherever that is. `log` None: in the run's folder. `traceparent`: the
    run's span, once it is begun.
    """

    run: KebabId
    folder: Path
    tasks: tuple[KebabId, ...]
    seeds: tuple[Count, ...]
    profile: ProfileName
    agent: str
    sandbox: Literal["docker", "local", "auto"] = "auto"
    gpus: str = "none"
    starter: StarterName = "baseline"
    dataset: str = DEFAULT_DATASET
    source: Path | None = None
    command: str | None = None
    program: Path | None = None
    agent_name: str | None = None
    agent_file: Path | None = None
    model: ModelWords = ModelWords()
    aids: AidWords = AidWords()
    mirror: Path | None = None
    tasks_root: Path | None = None
    log: Path | None = None
    traceparent: str | None = None

    def plan(self, books: Books | None = None) -> RunPlan:
        """What these words mean here. `books` keep the run's spending; None: the file in its folder.

        Raises UsageError: they contradict each other, a model has no price or no key, an agent cannot be made.
        """
        from harness.executors.agents import AgentOptions, agent_maker
        from harness.runner.run import RunPlan

        models = self.model.models(self.agent, self.folder, books)
        aids = self.aids.aids(self.agent, self.folder, models, books)
        options = AgentOptions(
            self.source, self.command, self.program, self.model.name, self.agent_file, aids.names, self.agent_name
        )
        return RunPlan(
            self.run,
            self.folder,
            self.tasks,
            self.root,
            self.seeds,
            self.profile,
            agent_maker(self.agent, options),
            self.mirror,
            self.starter,
            self.dataset,
            models,
            aids,
            self.log,
            self.traceparent,
        )

    @property
    def root(self) -> Path:
        """The folder of the tasks, here."""
        return self.tasks_root or default_root()

    def absolute(self) -> Self:
        """The same words for a process with another current folder."""
        paths = ("folder", "source", "program", "agent_file", "mirror", "tasks_root", "log")
        given: dict[str, Path | None] = {name: getattr(self, name) for name in paths}
        aids = self.aids
        if aids.memory not in (None, OWN):
            aids = aids.model_copy(update={"memory": str(Path(aids.memory).absolute())})
        whole = {name: path.absolute() for name, path in given.items() if path is not None}
        return self.model_copy(update={**whole, "aids": aids})
