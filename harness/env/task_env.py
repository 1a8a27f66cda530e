"""A task as a gymnasium environment: text in, text out, rewarded for what its validation score improves.

Takes a task's id and settings, gives a gymnasium.Env over the runner's own episodes: the same sandboxes, limits and
records. Never rewards a sealed score: only the Episode at the end tells it, in `info`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal, SupportsFloat

import gymnasium
from gymnasium.error import InvalidAction, ResetNeeded
from pydantic import ValidationError

from harness.agents.base import Observation
from harness.env.any_text import AnyText, sayable
from harness.env.reward import Climb
from harness.errors import SandboxError, UsageError
from harness.runner.outside import OutsideEpisode, Turn
from harness.runner.place import Place
from harness.runner.run import place_of
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.sandbox.owner import folder_prefix
from harness.schema.base import Record
from harness.schema.starter import StarterName
from harness.schema.steps import Action
from harness.schema.task import DEFAULT_DATASET, ProfileName, load_task, tasks_root

MAX_CHARS = 32768
"""Of an action and of an observation; a longer observation loses its middle."""
LEAVE_S = 5.0
STOP_S = 60.0


class Setting(Record):
    """What `make` and the options of `reset` choose."""

    profile: ProfileName = "smoke"
    starter: StarterName = "baseline"
    dataset: str = DEFAULT_DATASET
    sandbox: Literal["auto", "docker", "local"] = "auto"


class TaskEnv(gymnasium.Env[str, str | Action]):
    """An action is a shell command, or `validate`, or `submit`; a harness.schema.steps.Action is taken too.

    `record`: a folder that keeps every episode (<task>/seed-<n>-...); without it nothing is kept. `mirror` is searched
    for official data before the network. The engine is opened at the first reset and closed by `close`.
    """

    metadata = {"render_modes": []}

    def __init__(
        self,
        task: str,
        *,
        record: str | Path | None = None,
        mirror: str | Path | None = None,
        root: str | Path | None = None,
        **setting: str,
    ) -> None:
        self._folder = (Path(root) if root else tasks_root()) / task
        self._metric = load_task(self._folder).metric
        self._setting = _chosen(Setting(), setting)
        self._record = Path(record) if record else None
        self._mirror = Path(mirror) if mirror else None
        self.action_space = AnyText(MAX_CHARS)
        self.observation_space = AnyText(MAX_CHARS)
        self._engines: dict[str, Engine] = {}
        self._places: dict[Setting, Place] = {}
        self._score: float | None = None
        self._episode: OutsideEpisode | None = None
        self._kept: tempfile.TemporaryDirectory[str] | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """A fresh workspace; the instruction. `options` replace settings of `make` for this episode.

        info: `steps_left`, `time_left_s`, and with `record` the episode's `folder`. The episode before is left,
        ungraded, if it has not ended. Raises UsageError on a wrong option, and whatever keeps a sandbox from opening.
        """
        setting = _chosen(self._setting, options or {})
        super().reset(seed=seed)
        self._leave()
        place = self._place(setting)
        number = int(self.np_random.integers(2**31)) if seed is None else seed
        folder = self._new_folder(place, number)
        self._climb, self._score = Climb(place.task, setting.profile), None
        self._episode = OutsideEpisode(place, number, folder)
        try:
            first = self._episode.first()
        except BaseException:
            self._leave()
            raise
        kept = {"folder": str(folder)} if self._record else {}
        return _bounded(first.text), kept | _told(first)

    def step(self, action: str | Action) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step of the episode. `submit` terminates; any other end (steps, wall time) truncates, handed in.

        info: `exit_code`, `steps_left`, `time_left_s`; after a hand-in `attempt`, with its `verdict` if it was graded,
        and `score`, the best so far; at the end `episode` and `exit_status`. What has no value has no key.
        Raises what of ours failed, and InvalidAction for what is neither text nor Action.
        """
        if self._episode is None:
            raise ResetNeeded("there is no episode: reset() comes before step(), and after an episode's end")
        taken = _action(action)
        try:
            turn = self._episode.step(taken)
        except BaseException:
            self._leave()
            raise
        reward, info = self._valued(turn)
        if turn.episode is not None:
            self._leave()
        terminated = turn.episode is not None and turn.executed and taken.kind == "submit"
        return _bounded(turn.observation.text), reward, terminated, turn.episode is not None and not terminated, info

    def close(self) -> None:
        """Leave the episode, and leave nothing behind. Safe to call twice."""
        self._leave()
        self._close_engines()
        super().close()

    def _valued(self, turn: Turn) -> tuple[float, dict[str, Any]]:
        reward, info = 0.0, _told(turn.observation)
        if turn.attempt is not None:
            info["attempt"] = turn.attempt
            if (verdict := turn.attempt.validation) is not None:
                info["verdict"] = verdict
                if verdict.valid:
                    reward = self._rewarded(str(turn.attempt.artifact_sha256), verdict.metrics)
        if self._score is not None:
            info["score"] = self._score
        if turn.episode is not None:
            info |= {"episode": turn.episode, "exit_status": turn.episode.exit_status}
        return reward, info

    def _rewarded(self, artifact_sha256: str, metrics: dict[str, float]) -> float:
        score = metrics[self._metric.name]
        self._score = score if self._score is None else self._metric.best((self._score, score))
        return self._climb.reward(artifact_sha256, score)

    def _place(self, setting: Setting) -> Place:
        if setting not in self._places:
            if setting.sandbox not in self._engines:
                self._engines[setting.sandbox] = open_engine(setting.sandbox)
            engine = self._engines[setting.sandbox]
            self._places[setting] = place_of(
                self._folder, setting.profile, engine, self._mirror, starter=setting.starter, dataset=setting.dataset
            )
        return self._places[setting]

    def _new_folder(self, place: Place, seed: int) -> Path:
        if self._record is None:
            self._kept = tempfile.TemporaryDirectory(prefix=folder_prefix())
            return Path(self._kept.name) / "episode"
        parent = self._record / place.task.id
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"seed-{seed}-", dir=parent))

    def _leave(self) -> None:
        """Its thread, sandbox and unkept folder are gone. A command that still runs is ended with its engine."""
        episode, self._episode = self._episode, None
        if episode is not None and not episode.leave(LEAVE_S):
            self._close_engines()
            if not episode.leave(STOP_S):
                raise SandboxError(f"an episode of {self._folder.name} could not be ended within {STOP_S:.0f} s")
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.cleanup()

    def _close_engines(self) -> None:
        engines, self._engines = self._engines, {}
        self._places.clear()
        for engine in engines.values():
            engine.close()


def _chosen(setting: Setting, options: dict[str, Any]) -> Setting:
    try:
        return Setting.model_validate(setting.model_dump() | options)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise UsageError(f"{faults}; the settings are {', '.join(Setting.model_fields)}") from None


def _action(action: object) -> Action:
    """Text that cannot be a command is a step in which nothing was done, as an unreadable answer of a model is."""
    if isinstance(action, Action):
        return action
    if not isinstance(action, str):
        raise InvalidAction(f"an action is a text or a harness.schema.steps.Action, not {type(action).__name__}")
    if len(action) > MAX_CHARS:
        return Action(kind="none", command=f"it has {len(action)} characters, and at most {MAX_CHARS} are read")
    if not sayable(action) or "\0" in action:
        return Action(kind="none", command="it holds a zero or half a character, which no command can")
    if (word := action.strip()) in ("validate", "submit"):
        return Action(kind="validate" if word == "validate" else "submit")
    return Action(kind="bash", command=action)


def _told(observation: Observation) -> dict[str, Any]:
    info: dict[str, Any] = {}
    if observation.exit_code is not None:
        info["exit_code"] = observation.exit_code
    if observation.left is not None:
        info |= {"steps_left": observation.left.steps, "time_left_s": observation.left.time_s}
    return info


def _bounded(text: str) -> str:
    text = text.encode(errors="replace").decode()
    if len(text) <= MAX_CHARS:
        return text
    note = f"\n[{len(text) - MAX_CHARS + 100} characters dropped from the middle]\n"
    half = (MAX_CHARS - 100) // 2
    return text[:half] + note + text[-half:]
