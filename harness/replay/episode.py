"""One episode: its recorded actions, executed again in a fresh sandbox without any model, beside what was recorded.

Takes an episode's folder, or a bundle and an episode's key, a place and where to write; gives a Replay: the first step
whose exit code differs, every artifact's digest and grade beside the recorded one. Equal means that the recorded
actions are enough to make what was graded; it does not show who chose them. Never asks a model, never changes what was
recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.agents.scripted import ScriptedAgent
from harness.comparison import compare
from harness.errors import UsageError
from harness.payload import part_name, read_logs
from harness.runner.place import Place
from harness.runner.run import run_episode
from harness.schema.base import KebabId, Record, Sha256
from harness.schema.episode import Attempt, Count, Episode
from harness.schema.steps import StepLine, read_steps
from harness.schema.task import TaskSpec
from harness.verify import verify_contents

MAX_STEPS_BYTES = 256 << 20


@dataclass(frozen=True)
class Recorded:
    """An episode as it was: its record, and its steps."""

    episode: Episode
    steps: tuple[StepLine, ...]

    @property
    def imported(self) -> bool:
        """Whether another harness recorded it (`gymboard import episode`)."""
        return self.episode.published_baseline is not None or any(a.published for a in self.episode.attempts)

    def agent(self) -> ScriptedAgent:
        """Plays what the agent did; what the harness did itself it will do again."""
        return ScriptedAgent("replay", [line.action for line in self.steps if line.by == "agent"])


class ReplayedAttempt(Record):
    """One handed-in artifact. `agrees`: the grades are as far apart as two grades of one artifact may be; None: the
    recording has no grade of ours, as an imported one.
    """

    index: Count
    step: Count
    recorded_sha256: Sha256 | None
    replayed_sha256: Sha256 | None
    agrees: bool | None
    sentence: str

    @property
    def same(self) -> bool:
        return self.agrees is not False and self.recorded_sha256 in (None, self.replayed_sha256)


class Replay(Record):
    """What came of it. `diverged_at`: the first step that ended otherwise; `observations_differ_at`: the first step
    whose text differs, which a clock or a process id is enough for and which alone is no divergence.
    """

    task: KebabId
    seed: Count
    steps: Count
    diverged_at: Count | None
    divergence: str
    observations_differ_at: Count | None
    attempts: tuple[ReplayedAttempt, ...]
    recorded_exit: str
    replayed_exit: str

    @property
    def same(self) -> bool:
        """Every exit code, every artifact to the byte, every grade."""
        return self.diverged_at is None and all(attempt.same for attempt in self.attempts)

    @property
    def grades_agree(self) -> bool:
        return all(attempt.agrees is not False for attempt in self.attempts)


def recorded(where: str) -> Recorded:
    """An episode's folder, or `BUNDLE#task/seed` with a seed's number. Raises UsageError, SchemaError,
    VerificationError.
    """
    if "#" in where:
        bundle, _, key = where.rpartition("#")
        return _from_bundle(Path(bundle), key)
    folder = Path(where)
    if not (folder / "episode.json").is_file():
        raise UsageError(f"no episode.json in {where}; give RUN/<task>/seed-<n>, or BUNDLE#<task>/<seed>")
    episode = Episode.from_json((folder / "episode.json").read_bytes(), subject=f"{where}/episode.json")
    return Recorded(episode, tuple(read_steps(folder / "steps.jsonl")))


def _from_bundle(folder: Path, name: str) -> Recorded:
    bundle = verify_contents(folder).bundle
    task, _, seed = name.rpartition("/")
    key = f"{task}/seed-{seed.removeprefix('seed-')}"
    episodes = {episode.key: episode for episode in bundle.episodes}
    if key not in episodes:
        raise UsageError(f"{bundle.entry.id} has no episode {key!r}; it has {', '.join(sorted(episodes))}")
    mine = {at: episode for at, episode in episodes.items() if episode.task == task}
    for found in recorded_in(folder / part_name(task), mine, {key}):
        return found
    raise UsageError(f"the payload of {bundle.entry.id} has no steps of {key} that can be read")


def recorded_in(part: Path, episodes: Mapping[str, Episode], wanted: Collection[str]) -> Iterator[Recorded]:
    """The wanted ones of a part's `episodes`, by key, whose steps can be read, one in memory at a time."""
    for key, data in read_logs(part, episodes, "steps.jsonl", MAX_STEPS_BYTES):
        if key in wanted and data is not None:
            lines = enumerate(data.splitlines(), start=1)
            yield Recorded(episodes[key], tuple(StepLine.from_json(line, f"{key}:{n}") for n, line in lines))


def replay(was: Recorded, place: Place, out: Path) -> Replay:
    """Execute it again into the folder `out`, which must not be there. Raises SandboxError, GradingError, UsageError
    when the task is at another version.
    """
    if place.task.version != was.episode.task_version:
        raise UsageError(
            f"{was.episode.key} ran {place.task.id} {was.episode.task_version}, here is {place.task.version}; "
            "check out the commit that the run names"
        )
    again, steps = play_again(was, place, out)
    at, why = divergence(was.steps, steps, imported=was.imported)
    return Replay(
        task=again.task,
        seed=again.seed,
        steps=len(was.steps),
        diverged_at=at,
        divergence=why,
        observations_differ_at=_differing(was.steps, steps),
        attempts=_attempts(place.task, was.episode, again),
        recorded_exit=was.episode.exit_status,
        replayed_exit=again.exit_status,
    )


def play_again(was: Recorded, place: Place, out: Path) -> tuple[Episode, tuple[StepLine, ...]]:
    """The episode that its actions make now, and its steps. Raises SandboxError, GradingError."""
    again = run_episode(_with_steps(place, was.steps), was.agent(), was.episode.seed, out)
    return again, tuple(read_steps(out / "steps.jsonl"))


def _with_steps(place: Place, was: Sequence[StepLine]) -> Place:
    """A place whose limit of steps is where the recording ended when the harness handed in for the agent, whatever the
    limit was that it met; else one that every recorded step fits in, since an import may have had more than ours."""
    played = sum(line.by == "agent" for line in was)
    cut = bool(was) and was[-1].by == "harness"
    steps = played if cut else max(place.task.limits.steps, played)
    limits = place.task.limits.model_copy(update={"steps": steps})
    return replace(place, task=place.task.model_copy(update={"limits": limits}))


def _aided(line: StepLine) -> bool:
    """Whether the step asked for what a replay does not have: notes or literature. It changes no workspace."""
    return line.action.action_class in ("Memory", "Literature")


def divergence(was: Sequence[StepLine], now: Sequence[StepLine], *, imported: bool) -> tuple[int | None, str]:
    """The first step that ended otherwise, and how. An import has no exit codes; of those that it has, and of the
    number of steps, it is judged all the same."""
    for number, (old, new) in enumerate(zip(was, now, strict=False), start=1):
        unknown = (imported and old.exit_code is None) or _aided(old)
        if old.exit_code != new.exit_code and not unknown:
            return number, f"exit code {old.exit_code} was recorded, {new.exit_code} came: {_brief(new.observation)}"
    if len(was) != len(now):
        return min(len(was), len(now)) + 1, f"{len(was)} steps were recorded, {len(now)} were made"
    return None, ""


def _differing(was: Sequence[StepLine], now: Sequence[StepLine]) -> int | None:
    pairs = enumerate(zip(was, now, strict=False), start=1)
    return next(
        (number for number, (old, new) in pairs if not _aided(old) and old.observation != new.observation), None
    )


def _attempts(task: TaskSpec, was: Episode, now: Episode) -> tuple[ReplayedAttempt, ...]:
    made = dict(enumerate(now.attempts))
    return tuple(_attempt(task, was, attempt, made.get(attempt.index)) for attempt in was.attempts)


def _attempt(task: TaskSpec, episode: Episode, was: Attempt, now: Attempt | None) -> ReplayedAttempt:
    agrees, sentence = _compared(task, episode, was, now)
    return ReplayedAttempt(
        index=was.index,
        step=was.step,
        recorded_sha256=was.artifact_sha256,
        replayed_sha256=now.artifact_sha256 if now else None,
        agrees=agrees,
        sentence=sentence,
    )


def _compared(task: TaskSpec, episode: Episode, was: Attempt, now: Attempt | None) -> tuple[bool | None, str]:
    if now is None:
        return False, "it was not made again"
    if was.sealed is None and was.refused is None:
        measured = _values(now.sealed.metrics if now.sealed else {})
        return None, f"published {_values(was.published or {})}; measured {measured}"
    if was.sealed is None or now.sealed is None:
        alike = (was.sealed is None, bool(was.refused)) == (now.sealed is None, bool(now.refused))
        return alike, now.refused or was.refused or "no grade"
    found = compare(task, episode, was, now.sealed, cached=False)
    return found.agrees, found.sentence


def _values(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in metrics.items()) or "nothing"


def _brief(text: str) -> str:
    return " ".join(text.split())[:200] or "no output"
