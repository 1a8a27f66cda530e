"""A published run of MLGym's agent as an episode of this harness, which `gymboard replay` executes.

Takes a published trajectory, gives an Episode and its steps in our actions: an applied edit is our edit of the same
lines (or the whole file, where that is what it comes to), a rejected one is no action, everything that is no command of
upstream's editor goes to the shell as it stands. The files that upstream's workspace began with, as far as they were
shown whole, are written first. Never fills in what the recording does not have: no exit code, no grade of ours.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from harness import __version__
from harness.errors import UsageError
from harness.files import replace_file
from harness.grading.base import artifact_sha256
from harness.importers.mlgym_traj import exit_of
from harness.importers.published import MODELS, Published
from harness.importers.traj import PublishedEpisode, Scores, TrajStep
from harness.importers.workspace import EDITS, REJECTED, Workspace, listings, recover
from harness.runner.trajectory import build_trajectory
from harness.schema.episode import Attempt, Episode, counted, traced
from harness.schema.steps import Action, StepLine
from harness.schema.task import ProfileName, TaskSpec
from harness.schema.trajectory import TrajectoryAgent

Arguments = dict[str, JsonValue]
HOME = "/home/agent/workspace/"
TIME = "2024-11-18T00:00:00Z"
"""Upstream recorded no times of day; this is the first day that its file listings show."""
_EDIT = re.compile(r"edit\s+(?P<start>\d+):(?P<end>\d+)[ \t]*\n(?P<text>.*?)\n?end_of_edit\s*$", re.DOTALL)
_INSERT = re.compile(r"insert\s+(?P<line>\d+)[ \t]*\n(?P<text>.*?)\n?end_of_insert\s*$", re.DOTALL)


@dataclass(frozen=True)
class Translated:
    """`started_with`: how many steps before the published first one write upstream's files."""

    episode: Episode
    steps: tuple[StepLine, ...]
    started_with: int

    def write(self, folder: Path, agent: TrajectoryAgent, instruction: str) -> None:
        """steps.jsonl, trajectory.json and, last, episode.json. Raises UsageError when `folder` is in use."""
        if folder.exists():
            raise UsageError(f"{folder} is there already; choose a new folder for the episode")
        folder.mkdir(parents=True)
        lines = "".join(line.model_dump_json(exclude_defaults=True) + "\n" for line in self.steps)
        steps = replace_file(folder / "steps.jsonl", lines.encode())
        trajectory = build_trajectory(self.episode, agent, instruction, steps)
        replace_file(folder / "trajectory.json", trajectory.canonical())
        replace_file(folder / "episode.json", self.episode.canonical())


def agent_of(source: Published) -> TrajectoryAgent:
    """Who acted in a published run."""
    return TrajectoryAgent(name="MLGym agent", version="mlgym_bench_v0", model_name=MODELS[source.model].label)


def translate(source: Published, run: PublishedEpisode, task: TaskSpec, profile: ProfileName) -> Translated:
    """The whole run."""
    *_, last = recover(run.steps)
    prelude = [_starter(name, text) for name, text in sorted(last.original.items())]
    actions, attempts, before = list(prelude), list[Attempt](), dict[str, str]()
    observations = ["" for _ in prelude]
    for step, space in zip(run.steps, recover(run.steps), strict=True):
        actions.append(_action(step, before, space))
        observations.append(step.observation)
        before = dict(space.files)
        if actions[-1].kind == "submit":
            attempts.append(_attempt(task, len(attempts), len(actions), "submit", run.final, before))
        elif actions[-1].kind == "validate":
            attempts.append(_attempt(task, len(attempts), len(actions), "validate", step.scores, before))
    steps = [
        StepLine(step=number, time=TIME, action=action, observation=text, duration_s=0.0)
        for number, (action, text) in enumerate(zip(actions, observations, strict=True), start=1)
    ]
    classes = [action.action_class for action in actions]
    if actions[-1].kind != "submit":  # at a limit upstream handed in by itself, as this harness does
        at = len(steps) + 1
        submit = Action(kind="submit")
        steps.append(StepLine(step=at, time=TIME, action=submit, observation="", duration_s=0.0, by="harness"))
        attempts.append(_attempt(task, len(attempts), at, "submit", run.final, before))
    status, detail = exit_of(run.exit_status if run.exit_status != "none recorded" else "")
    episode = Episode(
        task=task.id,
        task_version=task.version,
        profile=profile,
        seed=source.seed,
        exit_status=status,
        exit_detail=f"{detail or status}; imported by gymboard {__version__} from {source.path}",
        steps=len(actions),
        actions=counted(classes),
        trace=traced(classes),
        attempts=tuple(attempts),
        usage=run.usage,
        published_baseline=run.baseline,
    )
    return Translated(episode, tuple(steps), len(prelude))


def _starter(name: str, text: str) -> Action:
    return Action(kind="write", path=name, data=text.encode(), thought=f"Upstream's workspace began with {name}.")


def _attempt(
    task: TaskSpec, index: int, step: int, kind: str, scores: Scores | None, files: Mapping[str, str]
) -> Attempt:
    """With the artifact's digest where the run shows every file of it whole."""
    names = [file.path for file in task.artifact]
    known = {name: files[name].encode() for name in names if name in files} if task.grader.kind == "play" else {}
    whole = len(known) == len(names)
    return Attempt.model_validate(
        {
            "index": index,
            "step": step,
            "kind": kind,
            "published": scores,
            "artifact_sha256": artifact_sha256(known) if whole else None,
            "artifact_bytes": sum(map(len, known.values())) if whole else None,
        }
    )


def _action(step: TrajStep, before: Mapping[str, str], space: Workspace) -> Action:
    """One step in our words."""
    word, _, rest = step.action.partition(" ")
    word, rest = word.strip(), rest.strip()
    if word in EDITS:
        return _edited(step, word, before, space)
    thought = step.thought
    if word in ("validate", "submit"):
        return Action.model_validate({"kind": word, "thought": thought})
    if word.startswith("exit_") or not word:
        return Action(kind="none", command=step.action, thought=thought)
    arguments = _arguments(word, rest)
    if arguments is None:
        return Action(kind="bash", command=step.action, thought=thought)
    name = {"scroll_up": "scroll", "scroll_down": "scroll"}.get(word, word)
    return Action(kind="tool", tool=name, arguments=arguments, thought=thought)


def _arguments(word: str, rest: str) -> Arguments | None:
    """Of one of upstream's commands that look at files; None: it is none of them."""
    try:
        words = [_path(one) for one in shlex.split(rest)]
    except ValueError:
        return None
    if word in ("scroll_up", "scroll_down"):
        return {"direction": word.removeprefix("scroll_")}
    if word == "goto" and len(words) == 1 and words[0].isdigit():
        return {"line": int(words[0])}
    if word == "open" and words:
        return {"path": words[0], **({"line": int(words[1])} if len(words) > 1 and words[1].isdigit() else {})}
    key = {"search_dir": "term", "search_file": "term", "find_file": "name"}.get(word)
    if key is None or not words:
        return None
    return {key: words[0], **({"path": words[1]} if len(words) > 1 else {})}


def _path(word: str) -> str:
    return word.removeprefix(HOME)


def _edited(step: TrajStep, word: str, before: Mapping[str, str], space: Workspace) -> Action:
    """What an edit came to. One that upstream refused is no action, as it changed nothing."""
    shown = list(listings(step.observation))
    if not shown or REJECTED in step.observation:
        return Action(kind="none", command=step.action, thought=step.thought)
    path = shown[-1].path.removeprefix(HOME)
    now = space.files.get(shown[-1].name)
    arguments = next(_same_edit(step.action, before.get(shown[-1].name), now, path), None)
    if arguments is not None:
        tool = "insert" if "line" in arguments else "edit"
        return Action(kind="tool", tool=tool, arguments=arguments, thought=step.thought)
    if now is None:
        return Action(kind="bash", command=step.action, thought=step.thought)
    whole: Arguments = {"path": path, "text": now, "overwrite": True}
    return Action(kind="tool", tool="create", arguments=whole, thought=step.thought)


def _same_edit(action: str, was: str | None, now: str | None, path: str) -> Iterator[Arguments]:
    """The arguments of our edit or insert, when it does to the file what the listing shows."""
    lines = (was or "").splitlines(keepends=True)
    if found := _EDIT.match(action):
        start, end = int(found["start"]), min(int(found["end"]), len(lines))
        text = _whole(found["text"])
        if 1 <= start <= end and "".join(lines[: start - 1]) + text + "".join(lines[end:]) == now:
            yield {"start": start, "end": end, "text": text, "path": path}
    elif found := _INSERT.match(action):
        line, text = int(found["line"]), _whole(found["text"])
        if text and line <= len(lines) and "".join(lines[:line]) + text + "".join(lines[line:]) == now:
            yield {"line": line, "text": text, "path": path}


def _whole(text: str) -> str:
    return f"{text}\n" if text else ""
