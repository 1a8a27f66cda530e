"""What happened in every episode of one entry, as its page lists it: the step index that needs no script.

Takes a bundle's episodes and the cells of its row, gives one Happened an episode with the steps at which something went
wrong. Values of what was handed in are the board's own; what the agent was told is the run's. Never reads a payload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.schema.episode import LETTERS, NO_ACTION, Attempt, Episode
from scoring.leaderboard import Cell
from scoring.publish.formats import exit_words, number

WHOLE = ("success", "max_steps")
"""Exits that are no failure."""
_WHAT = {"validate": "validated", "submit": "submitted", "unknown": "handed in"}
MAX_HANDED = 40
MAX_LETTERS = 2000
"""Letters of a trace that a page prints; longer ones are in the tables."""
KINDS: Mapping[str, str] = {letter: action.lower() for action, letter in LETTERS.items()} | {NO_ACTION: "no action"}
GROUPS: tuple[tuple[str, str], ...] = (
    ("edits", "E"),
    ("runs", "PB"),
    ("looks", "VS"),
    ("hands in", "AU"),
    ("other or no action", "ML-"),
)
"""Actions in five groups: more colours than these cannot be told apart in both schemes."""


class Fault(NamedTuple):
    """Something that went wrong. `step` 0: nobody knows where. `id` is empty where an earlier fault has the step's.
    The episode's own lines say what went wrong (`7:none`, how it ended), and `id` stands there; `why` is said above."""

    id: str
    link: str
    step: int
    what: str
    why: str


class Happened(NamedTuple):
    """One episode. `id`: `house-price.0`, where a link to it leads; its steps are `house-price.0.step-17`.

    `handed`: `17:0.842` for each attempt of which the trace does not say it all, and the fault's id that is there;
    `more` attempts were not looked at. `ended_at`: the fault's id that stands at how it ended. `cut`: letters left out
    of the trace.
    """

    id: str
    task: str
    seed: int
    exit: str
    whole: bool
    steps: int
    trace: str
    cut: int
    wall_s: float | None
    final: float | None
    best: float | None
    handed: tuple[tuple[str, str], ...]
    more: int
    faults: tuple[Fault, ...]
    ended_at: str


def happened(episodes: Iterable[Episode], cells: Mapping[str, Cell]) -> list[Happened]:
    """Every episode, in order of tasks and seeds."""
    return [_happened(one, cells.get(one.task)) for one in sorted(episodes, key=lambda one: (one.task, one.seed))]


def by_kind(found: Iterable[Happened]) -> list[tuple[str, list[tuple[Happened, Fault]]]]:
    """Everything that went wrong by what it was, the most frequent first."""
    kinds: dict[str, list[tuple[Happened, Fault]]] = {}
    for one in found:
        for fault in one.faults:
            kinds.setdefault(fault.what, []).append((one, fault))
    return sorted(kinds.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def _happened(episode: Episode, cell: Cell | None) -> Happened:
    task, seed, trace = episode.task, episode.seed, episode.trace or ""
    faults = tuple(_faults(episode))
    ids = {str(fault.step): fault.id for fault in faults if fault.id}
    words = filter(None, (_handed(attempt, cell, trace) for attempt in episode.attempts[:MAX_HANDED]))
    handed = [(said, ids.pop(said.partition(":")[0], "") if said.endswith("none") else "") for said in words]
    ended_at = ids.pop(str(episode.steps), "") if episode.exit_status not in WHOLE else ""
    return Happened(
        id=f"{task}.{seed}",
        task=task,
        seed=seed,
        exit=exit_words(episode.exit_status),
        whole=episode.exit_status in WHOLE,
        steps=episode.steps,
        trace=trace[:MAX_LETTERS],
        cut=max(0, len(trace) - MAX_LETTERS),
        wall_s=episode.usage.wall_s,
        final=_at(cell.last.seeds, seed) if cell else None,
        best=_at(cell.best.seeds, seed) if cell else None,
        handed=(*handed, *((f"{step}:none", name) for step, name in ids.items())),
        more=max(0, len(episode.attempts) - MAX_HANDED),
        faults=faults,
        ended_at=ended_at,
    )


def _at(seeds: Sequence[float | None], seed: int) -> float | None:
    return seeds[seed] if seed < len(seeds) else None


def _handed(attempt: Attempt, cell: Cell | None, trace: str) -> str:
    """Empty for a submission of which nothing was told where its letter says that it was one."""
    told = attempt.validation.metrics if attempt.validation else attempt.published or {}
    value = told.get(cell.metric) if cell else None
    words = "none" if _why(attempt) else number(value) if value is not None else ""
    submitted = "submit" if attempt.kind == "submit" else ""
    if submitted and not words and trace[: attempt.step or 0][(attempt.step or 0) - 1 :] == LETTERS["Submit"]:
        return ""
    return f"{attempt.step or ''}:{' '.join(filter(None, (submitted, words)))}"


def _faults(episode: Episode) -> Iterator[Fault]:
    bad = [attempt for attempt in episode.attempts if _why(attempt)][:MAX_HANDED]
    found = [(attempt.step, f"{_WHAT[attempt.kind]} without a value", _why(attempt)) for attempt in bad]
    if episode.exit_status not in WHOLE:
        detail = episode.exit_detail or ""
        if found and found[-1][0] == episode.steps:
            step, _, why = found.pop()
            detail = detail or why
        found.append((episode.steps, exit_words(episode.exit_status), detail))
    seen = set[int]()
    for step, what, why in found:
        known = step if 0 < step <= episode.steps else 0
        link = f"{episode.task}.{episode.seed}" + (f".step-{known}" if known else "")
        yield Fault("" if known in seen | {0} else link, link, known, what, why)
        seen.add(known)


def _why(attempt: Attempt) -> str:
    """Why the attempt has no value; empty when it has one."""
    told, sealed = attempt.validation, attempt.sealed
    return attempt.refused or (told and told.invalid) or (sealed and sealed.invalid) or ""


def gap(episodes: Iterable[Episode], cell: Cell) -> float | None:
    """Of the episodes on the cell's task: mean over the seeds of the sealed value that counts minus what validate had
    told of the very same artifact; None when no artifact was both validated and handed in."""
    found = []
    for one in episodes:
        final, told = _at(cell.last.seeds, one.seed), _told_of_the_last(one, cell.metric)
        if final is not None and told is not None:
            found.append(final - told)
    return sum(found) / len(found) if found else None


def _told_of_the_last(episode: Episode, metric: str) -> float | None:
    last = episode.attempts[-1].artifact_sha256 if episode.attempts else None
    same = [attempt.validation for attempt in episode.attempts if attempt.artifact_sha256 == last]
    return next((one.metrics[metric] for one in same if last and one and metric in one.metrics), None)


class Deciles(NamedTuple):
    """Steps by tenth of the episode, ten numbers a group of GROUPS; `steps` is their sum."""

    groups: tuple[tuple[str, tuple[int, ...]], ...]
    steps: int


def deciles(traces: Iterable[str | None]) -> Deciles | None:
    """What the agent did in each tenth of its episodes; None when no trace was recorded."""
    counts = {letter: [0] * 10 for _, letters in GROUPS for letter in letters}
    for trace in traces:
        for at, letter in enumerate(trace or ""):
            counts[letter][10 * at // len(trace or "")] += 1
    groups = tuple((name, _added([counts[one] for one in letters])) for name, letters in GROUPS)
    steps = sum(sum(many) for _, many in groups)
    return Deciles(groups, steps) if steps else None


def _added(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*rows, strict=True)))
