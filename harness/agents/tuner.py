"""The tuner: plain hyperparameter search over what a starter declares, within an agent's limits, without any model.

Each trial runs `search_command` with GYMBOARD_HP_<NAME> set and reads the starter's own estimate, the last line
`estimate <metric> = <value>`. Where the starter prints none, a validate call scores the trial. The best artifact is
kept aside, put back at the end, validated once and submitted. Never sees more than any agent; proposes the same trials
for the same seed and the same observations.
"""

from __future__ import annotations

import importlib.util
import math
import re
import shlex
import time
from collections.abc import Callable, Generator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from harness import __version__
from harness.agents.base import Briefing, Observation
from harness.agents.baseline import baseline_agent
from harness.errors import UsageError
from harness.schema.episode import Usage
from harness.schema.search import Hyperparameter
from harness.schema.steps import Action
from harness.schema.task import TaskSpec

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

KEPT = ".best"
TRIAL_STEPS, LAST_STEPS = 2, 3  # run it and keep it; put the best back, validate it, submit it
TIME_MARGIN = 1.5  # the next trial may take so much longer than the longest so far
Turns = Generator[Action, Observation, None]
Scored = Generator[Action, Observation, float | None]


class TunerAgent:
    """One episode of search. A task that declares no hyperparameter gets its untouched starter."""

    name = "tuner"
    model: str | None = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        if importlib.util.find_spec("optuna") is None:
            raise UsageError('the tuner needs Optuna: pip install "gymboard[tuner]"')
        self.version = f"{__version__} (optuna {version('optuna')})"
        self._clock = clock

    def begin(self, briefing: Briefing) -> None:
        self._task, self._seed = briefing.task, briefing.seed
        self._steps, self._longest, self._by_validate = 0, 0.0, False
        self._best: float | None = None
        self._begun = self._clock()
        self._turns = self._search() if self._task.hyperparameters else self._starter()

    def act(self, observation: Observation) -> Action:
        action = self._turns.send(observation) if self._steps else next(self._turns)
        self._steps += 1
        return action

    def usage(self) -> Usage:
        return Usage()

    def _starter(self) -> Turns:
        run, look, hand_in = baseline_agent(self._task).actions
        yield run
        yield look
        yield hand_in

    def _search(self) -> Turns:
        """Trials while another one fits, the starter's own values first; then the best artifact."""
        study, space = new_study(self._task, self._seed), search_space(self._task)
        while self._room():
            trial = study.ask(space)
            begun = self._clock()
            value = yield from self._trial(trial.number, trial.params)
            self._longest = max(self._longest, self._clock() - begun)
            _tell(study, trial.number, value)
        if self._best is not None:
            yield _bash(f"cp -r -- {KEPT}/. . && rm -r {KEPT}", f"The best trial again: {self._best:g}.")
            if not self._by_validate:
                yield Action(kind="validate")
        yield Action(kind="submit")

    def _trial(self, number: int, values: Mapping[str, Any]) -> Scored:
        """One run of the starter: its score, or None when it gave none. An artifact that leads is kept."""
        command = self._task.search_command or self._task.starter_command
        seen = yield _bash(f"{assignments(self._task.hyperparameters, values)} {command}", f"Trial {number}.")
        if seen.exit_code != 0:
            return None
        value = printed(rf"estimate {re.escape(self._task.metric.name)}", seen.text)
        if value is None and (number == 0 or self._by_validate):
            self._by_validate = True
            seen = yield Action(kind="validate", thought="The starter prints no estimate.")
            value = printed(rf"validation {re.escape(self._task.metric.label)}", seen.text)
        if value is None or not self._leads(value):
            return value
        paths = shlex.join(file.path for file in self._task.artifact)
        seen = yield _bash(f"mkdir -p {KEPT} && cp --parents -- {paths} {KEPT}", "The best so far: keep it.")
        if seen.exit_code != 0:
            return None
        self._best = value
        return value

    def _leads(self, value: float) -> bool:
        if self._best is None:
            return True
        return self._task.metric.sign * (value - self._best) > 0

    def _room(self) -> bool:
        """Whether another trial and the last steps fit into the episode's steps and time."""
        limits = self._task.limits
        steps = TRIAL_STEPS + self._by_validate + LAST_STEPS - self._by_validate
        last_s = min(limits.grade_time_s, limits.wall_time_s / 4)
        time_s = self._clock() - self._begun + TIME_MARGIN * self._longest + last_s
        return self._steps + steps <= limits.steps and time_s < limits.wall_time_s


def assignments(parameters: tuple[Hyperparameter, ...], values: Mapping[str, Any]) -> str:
    """What stands before a command: `GYMBOARD_HP_ALPHA=0.5 GYMBOARD_HP_DEPTH=3`."""
    words = {p: f"{values[p.name]:.6g}" if p.kind == "float" else str(values[p.name]) for p in parameters}
    return " ".join(f"{parameter.variable}={word}" for parameter, word in words.items())


def printed(what: str, text: str) -> float | None:
    """The finite number of the last line `<what> = <number>`; None when there is none."""
    found = re.findall(rf"^{what} = (\S+)", text, re.MULTILINE)
    try:
        value = float(found[-1]) if found else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def search_space(task: TaskSpec) -> dict[str, BaseDistribution]:
    """The declared hyperparameters in Optuna's words."""
    return {parameter.name: _distribution(parameter) for parameter in task.hyperparameters}


def _distribution(parameter: Hyperparameter) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    assert parameter.low is not None and parameter.high is not None
    if parameter.kind == "int":
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def new_study(task: TaskSpec, seed: int) -> Study:
    """A study in memory (tree-structured Parzen estimator) whose first trial is the untouched starter."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    direction: Literal["maximize", "minimize"] = "maximize" if task.metric.direction == "max" else "minimize"
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), direction=direction)
    study.enqueue_trial({parameter.name: parameter.default for parameter in task.hyperparameters})
    return study


def _tell(study: Study, number: int, value: float | None) -> None:
    from optuna.trial import TrialState

    study.tell(number, value, state=TrialState.FAIL if value is None else TrialState.COMPLETE)


def _bash(command: str, thought: str) -> Action:
    return Action(kind="bash", command=command, thought=thought)
