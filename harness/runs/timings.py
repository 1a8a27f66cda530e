"""Where the time of an episode went, from the events that it told.

Takes events, gives seconds a phase that add up to the whole: at each moment one phase counts, the first of PHASES that
is under way (a model that a program asks counts as model, not as the program's command). What no phase accounts for is
the harness's own. Never reads a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.telemetry.event import Event

PHASES = ("model", "grade", "container", "command", "agent")
REST = "harness"


@dataclass(frozen=True)
class Timings:
    """Seconds. `phases`: those of PHASES and REST that took any; `parts`: the same more finely, as `<phase> <what>`,
    where parts of one phase that ran side by side count each. `lives`: how often the episode was begun or gone on with.
    """

    total_s: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    lives: int = 0

    def share(self, phase: str) -> float:
        """From 0 to 1."""
        return self.phases.get(phase, 0.0) / self.total_s if self.total_s else 0.0


NONE = Timings()


def timings(events: Iterable[Event]) -> Timings:
    """Of one episode, all its lives. A life without an end, killed or under way, counts up to its last event."""
    lives: list[list[Event]] = []
    for event in events:
        if event.event == "episode-begun":
            lives.append([])
        if lives:
            lives[-1].append(event)
    return together([_life(life) for life in lives])


def together(many: Sequence[Timings]) -> Timings:
    """The sum."""
    phases: dict[str, float] = defaultdict(float)
    parts: dict[str, float] = defaultdict(float)
    for one in many:
        for sums, seconds in ((phases, one.phases), (parts, one.parts)):
            for name, value in seconds.items():
                sums[name] += value
    return Timings(sum(one.total_s for one in many), dict(phases), dict(parts), sum(one.lives for one in many))


def _life(events: Sequence[Event]) -> Timings:
    end = max((event.ended_s for event in events if event.event == "episode"), default=None)
    begin = events[0].began_s
    end = max(begin, end or max(event.ended_s for event in events))
    phases = _swept([_clipped(span, begin, end) for event in events for span in _spans(event)])
    total = end - begin
    rest = total - sum(phases.values())
    parts: dict[str, float] = defaultdict(float)
    for event in events:
        if event.event in PHASES:
            parts[" ".join((event.event, str(event.facts.get("what", "")))).strip()] += event.duration_s or 0.0
    return Timings(total, phases | ({REST: rest} if rest > 0 else {}), dict(parts), 1)


Span = tuple[str, float, float]


def _spans(event: Event) -> Iterable[Span]:
    """The phase that an event is, with its begin and end; of a step, the time that the agent took to decide."""
    if event.event in PHASES:
        yield event.event, event.began_s, event.ended_s
    elif event.event == "step":
        decided = event.facts.get("decided_s")
        if isinstance(decided, float) and decided > 0:
            yield "agent", event.began_s, event.began_s + decided


def _clipped(span: Span, begin: float, end: float) -> Span:
    phase, since, until = span
    return phase, min(max(since, begin), end), min(max(until, begin), end)


def _swept(spans: Sequence[Span]) -> dict[str, float]:
    """Seconds a phase, each moment counted once."""
    edges = sorted(edge for phase, since, until in spans for edge in ((since, 1, phase), (until, -1, phase)))
    running: dict[str, int] = defaultdict(int)
    sums: dict[str, float] = defaultdict(float)
    before = 0.0
    for at, change, phase in edges:
        if first := next((name for name in PHASES if running[name]), None):
            sums[first] += at - before
        running[phase] += change
        before = at
    return dict(sums)
