"""One task of an entry: its recorded episodes, executed again under fresh ids, and what that comes to.

Takes the task's place and the episodes that left an artifact, gives a TaskReplay. Never blames an entry for what the
machine did not allow: a command that met its time limit on one side only leaves the task unfinished, not different.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.data.fresh import has_ids, refresh
from harness.errors import DataError
from harness.payload import kept_attempts, part_name
from harness.replay.episode import Recorded, divergence, play_again, recorded_in
from harness.replay.kept import KeptReplays
from harness.replay.spread import training_sd
from harness.replay.weigh import Regraded, paced, weigh
from harness.runner.place import Place
from harness.schema.digest import file_sha256, folder_sha256
from harness.schema.episode import Episode, Verdict
from harness.schema.replay import EpisodeReplay, Outcome, TaskReplay
from harness.verdict_cache import VerdictCache, VerdictKey

SLOWER = 3.0
"""How many times its recorded wall time an episode is given, within the task's limit, after a start of SLACK_S."""
SLACK_S = 600.0


@dataclass(frozen=True)
class TaskWork:
    """What the tasks of one replay share. `parts` holds the payload of these `episodes`; `cache` is the folder of
    verdicts, `out` gets the replayed episodes, `scratch` the data under fresh ids; `started` hears of each episode.
    """

    parts: Path
    episodes: Sequence[Episode]
    cache: Path | None
    out: Path
    scratch: Path
    draw: Callable[[int], bytes]
    started: Callable[[Episode], None]

    def replay(self, place: Place, due: Mapping[str, Episode]) -> TaskReplay:
        """Every episode of `due`, by key. Raises SandboxError, GradingError, DataError, VerificationError, SchemaError
        when one could not be replayed."""
        began, part = time.monotonic(), self.parts / part_name(place.task.id)
        regraded, kept = self._regraded(place), KeptReplays(self.cache)
        sd = training_sd(place.task, place.profile, place.dataset)
        key = _key(place, part, due, regraded, sd)
        if (known := kept.get(key)) is not None:
            return known
        fresh = self._fresh(place)
        episodes = tuple(self._episode(was, fresh, regraded, sd) for was in self._recorded(part, place, due))
        reason = _excuse(episodes, due)
        outcome: Outcome = "agrees" if all(one.agrees for one in episodes) else "differs"
        found = TaskReplay(
            task=place.task.id,
            replay=place.task.replay,
            outcome="unfinished" if reason else outcome,
            reason=reason,
            fresh_ids=has_ids(place.task),
            training_sd=sd,
            episodes=episodes,
            seconds=round(time.monotonic() - began, 3),
        )
        return kept.put(key, found)

    def _regraded(self, place: Place) -> Regraded:
        """What our own regrade found for a recorded artifact, from the cache that it filled."""
        verdicts, digest = VerdictCache(self.cache), folder_sha256(place.folder)
        version, kind = place.task.grader.version, place.engine.kind

        def look(artifact: str) -> Verdict | None:
            return verdicts.get(VerdictKey(artifact, digest, version, place.profile, kind, place.dataset))

        return look

    def _fresh(self, place: Place) -> Place:
        """The place with fresh ids, where the task has any."""
        if not has_ids(place.task):
            return place
        if place.agent_data is None or place.grader_data is None:
            raise DataError(f"{place.task.id}: predictions without prepared data")
        folder = self.scratch / f"fresh-{place.task.id}"
        agent, grader = refresh(place.task, place.agent_data, place.grader_data, folder, self.draw(32))
        return replace(place, agent_data=agent, grader_data=grader)

    def _recorded(self, part: Path, place: Place, due: Mapping[str, Episode]) -> Iterator[Recorded]:
        """The due episodes with their steps."""
        mine = {episode.key: episode for episode in self.episodes if episode.task == place.task.id}
        return recorded_in(part, mine, due)

    def _episode(self, was: Recorded, place: Place, regraded: Regraded, sd: float | None) -> EpisodeReplay:
        self.started(was.episode)
        began = time.monotonic()
        now, steps = play_again(was, _cut(place, was.episode), self.out / was.episode.key)
        at, why = divergence(was.steps, steps, imported=False)
        late = (now.exit_status == "wall_time") != (was.episode.exit_status == "wall_time")
        return EpisodeReplay(
            seed=was.episode.seed,
            steps=len(was.steps),
            diverged_at=at,
            divergence=why[:1000],
            paced=late or paced(was.steps, steps),
            attempts=weigh(place.task, was.episode, now, regraded, sd),
            seconds=round(time.monotonic() - began, 3),
        )


def _key(place: Place, part: Path, due: Mapping[str, Episode], regraded: Regraded, sd: float | None) -> str:
    """The digest of all that a task's replay depends on: recorded bytes, what is expected of them, task and engine."""
    digest = hashlib.sha256(f"{file_sha256(part)} {folder_sha256(place.folder)} {place.engine.kind} {sd}".encode())
    for key in sorted(due):
        digest.update(due[key].canonical())
        for attempt in kept_attempts(due[key], place.task.metric):
            ours = regraded(str(attempt.artifact_sha256))
            digest.update(ours.canonical() if ours else b"-")
    return digest.hexdigest()


def _cut(place: Place, was: Episode) -> Place:
    """A place with as much time as a slower machine may need, so that nobody's stated speed makes the job wait, where
    only those attempts get a sealed grade that are compared."""
    sealed = frozenset(attempt.index for attempt in kept_attempts(was, place.task.metric))
    given = SLACK_S + SLOWER * (was.usage.wall_s or 0.0)
    wall_time_s = int(min(place.task.limits.wall_time_s, given))
    limits = place.task.limits.model_copy(update={"wall_time_s": wall_time_s})
    return replace(place, task=place.task.model_copy(update={"limits": limits}), sealed=sealed)


def _excuse(episodes: Sequence[EpisodeReplay], due: Mapping[str, Episode]) -> str:
    """Why the task is not finished, though nothing broke; nothing when it is."""
    replayed = {one.seed for one in episodes}
    if missing := sorted(key for key, episode in due.items() if episode.seed not in replayed):
        return f"the payload has no steps of {', '.join(missing)} that can be read"
    if late := [f"seed {one.seed}" for one in episodes if one.paced and not one.agrees]:
        return f"{', '.join(late)}: a time limit was met on one side only; replay it on another machine"
    return ""
