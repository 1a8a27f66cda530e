"""Where an episode's time goes, told as it passes: to a file beside the episode, to the run's log, to OpenTelemetry.

Takes what is timed where it happens, gives events. Never decides anything and never reads what it has told: an episode
is the same with and without it. What cannot be told, because a disk is full or nobody listens, costs it nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.scrub import Scrubber, known_secrets
from harness.telemetry.event import EventName, Fact, Facts, Tell, event
from harness.telemetry.lines import EventLog
from harness.telemetry.otel import Spans
from harness.telemetry.sender import open_sender, wanted

BESIDE, LOG = "events.jsonl", Path("logs") / "run.jsonl"
MOST_READ, MOST_TEXT = 16_384, 500
"""Characters of a text that are looked through for secrets, and of those that are kept."""
Opened = TypeVar("Opened")


@dataclass
class Phases:
    """The events of one life of an episode, or of a run. `tells` hear each; `scrub` takes secrets out of a
    text that comes from elsewhere; `traceparent`: its span, when there are spans; `outcome`: facts of its end.

    `step` is the agent's step that is under way, None outside of them.
    """

    run: str = ""
    episode: str = ""
    tells: tuple[Tell, ...] = ()
    scrub: Callable[[str], str] = str
    traceparent: str | None = None
    step: int | None = None
    outcome: Facts = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)
    _decided_s: float = 0.0

    def told(self, name: EventName, began: float, ended: float | None, facts: Facts) -> None:
        """Tell of what began and ended then, by time.monotonic; `ended` None: a moment."""
        if self.tells:
            clean = {fact: self.scrub(value) if isinstance(value, str) else value for fact, value in facts.items()}
            one = event(name, began, ended, clean, run=self.run, episode=self.episode, step=self.step)
            for tell in self.tells:
                tell(one)

    @contextmanager
    def timed(self, name: EventName, **facts: Fact) -> Iterator[Facts]:
        """Around what is timed; more facts may be put into what it gives. An exception is a fact too."""
        began = time.monotonic()
        try:
            yield facts
        except BaseException as error:
            facts |= {"error": type(error).__name__, "detail": str(error)}
            raise
        finally:
            self.told(name, began, time.monotonic(), facts)

    @contextmanager
    def container(self, opened: Callable[[], AbstractContextManager[Opened]]) -> Iterator[Opened]:
        """The agent's place, its start and its end timed."""
        with ExitStack() as stack:
            with self.timed("container", what="start"):
                place = stack.enter_context(opened())
            yield place
            with self.timed("container", what="end"):
                stack.close()

    def deciding(self, step: int) -> None:
        """The agent begins to think about this step."""
        self.step, self._since, self._decided_s = step, time.monotonic(), 0.0

    def decided(self) -> None:
        """It has said what to do."""
        self._decided_s = time.monotonic() - self._since

    def stepped(self, step: int, **facts: Fact) -> None:
        """The step is on disk, and the next one begins."""
        self.step = step
        self.told("step", self._since, time.monotonic(), {"decided_s": round(self._decided_s, 6), **facts})
        self.deciding(step + 1)


@dataclass(frozen=True)
class Telling:
    """What a run is called when it tells of itself, and where it does. `log` None: only beside each episode.
    `key_env` names a variable that holds a secret, whatever it is called. `traceparent`: the span above; None: what the
    environment names as TRACEPARENT, if anything."""

    run: str = ""
    log: Path | None = None
    key_env: str | None = None
    traceparent: str | None = None

    @contextmanager
    def whole(self, **facts: Fact) -> Iterator[Phases]:
        """Around a run, by whoever drives it; its `traceparent` is for those who play the episodes.

        Raises UsageError or OSError when the log cannot be opened.
        """
        with self._open("", None) as phases:
            phases.told("run-begun", time.monotonic(), None, facts)
            with phases.timed("run", **facts) as end:
                yield phases
                end |= phases.outcome

    @contextmanager
    def one(self, key: str, folder: Path, **facts: Fact) -> Iterator[Phases]:
        """Around one life of episode `key` in `folder`. Raises as `whole`."""
        with self._open(key, folder / BESIDE) as phases:
            phases.told("episode-begun", time.monotonic(), None, facts)
            with phases.timed("episode", **facts) as end:
                yield phases
                phases.step = None
                end |= phases.outcome

    @contextmanager
    def _open(self, key: str, beside: Path | None) -> Iterator[Phases]:
        with ExitStack() as stack:
            logs = [EventLog(file) for file in (beside, self.log) if file is not None]
            for log in logs:
                stack.callback(log.close)
            sender = open_sender() if wanted() else None
            if sender is None:
                yield Phases(self.run, key, tuple(logs), self._scrub())
                return
            stack.callback(sender.flush)
            spans = Spans(sender, self.traceparent or os.environ.get("TRACEPARENT", ""))
            yield Phases(self.run, key, (*logs, spans), self._scrub(), spans.traceparent)

    def _scrub(self) -> Callable[[str], str]:
        held = os.environ.get(self.key_env, "") if self.key_env else ""
        scrubber = Scrubber(known_secrets() | ({held: "environment"} if held else {}))
        return lambda text: scrubber.text("", text[:MOST_READ])[:MOST_TEXT]


UNTOLD = Telling()
