"""Replays a published episode in a terminal: thought, action, observation, and each score beside the baseline.

Takes a PublishedEpisode and a rich console, writes to it, waits between steps. Runs nothing that the agent wrote, calls
no model and no engine. Every text of the episode passes harness.terminal.plain first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.errors import UsageError
from harness.importers.published import CITATION, MODELS, Published
from harness.importers.traj import PublishedEpisode, Scores, TrajStep
from harness.schema.upstream import UpstreamTask
from harness.schema.vocabulary import SIGN
from harness.terminal import cut, plain

SHORT_LINES = 15
BAR_WIDTH = 40


class Block(NamedTuple):
    """One labelled piece of a step, ready to print."""

    label: str
    text: str
    style: str


class Standing(NamedTuple):
    """The ranked score of one attempt beside the baseline; `baseline` None: upstream stored it under another key."""

    score: float
    baseline: float | None
    gain: float | None
    best: bool

    def sentence(self) -> str:
        if self.gain is None:
            text = f"{self.score:.4g} (no baseline published under this key)"
        else:
            word = "better than" if self.gain > 0 else "worse than" if self.gain < 0 else "equal to"
            text = f"{self.score:.4g}: {abs(self.gain):.4g} {word} the baseline's {self.baseline:.4g}"
        return text + (", the best so far" if self.best else "")


class Player:
    """Writes one episode to one console."""

    def __init__(self, source: Published, episode: PublishedEpisode, console: Console, *, full: bool = False) -> None:
        self.source, self.episode, self.console, self.full = source, episode, console, full
        self.standings = dict(_standings(episode, source.upstream_task))

    def play(self, delay_s: float) -> None:
        """All steps in order, `delay_s` seconds after each. Ctrl-C leaves the terminal as it was."""
        self._intro()
        for step in self.episode.steps:
            self.step(step)
            time.sleep(delay_s)
        self._end()

    def only(self, number: int) -> None:
        """One step. Raises UsageError when there is no such step."""
        steps = self.episode.steps
        if not 1 <= number <= len(steps):
            raise UsageError(f"{self.source.name} has steps 1 to {len(steps)}, not {number}")
        self.step(steps[number - 1])

    def step(self, step: TrajStep) -> None:
        title = f"step {step.number} of {len(self.episode.steps)} · {step.duration_s:.1f} s"
        self._print(Rule(title, style="dim"), f"\n--- {title} ---")
        for block in self._blocks(step):
            text = Text(block.text)
            framed = Panel(text, title=block.label, title_align="left", border_style=block.style)
            self._print(framed, f"{block.label}:\n{_indented(block.text)}")
        if standing := self.standings.get(step.number):
            self._score(standing)

    def _blocks(self, step: TrajStep) -> Iterator[Block]:
        for label, text, style in (
            ("thought", step.thought.removeprefix("DISCUSSION").lstrip(), "blue"),
            ("action", step.action, "green"),
            ("observation", step.observation, "dim"),
        ):
            clean = plain(text)
            if clean:
                yield Block(label, clean if self.full else cut(clean, SHORT_LINES), style)

    def _score(self, standing: Standing) -> None:
        sentence = f"validation score {standing.sentence()}"
        colour = "green" if (standing.gain or 0) > 0 else "yellow"
        self._print(Panel(Text(sentence, style="bold"), border_style=colour), sentence)

    def _intro(self) -> None:
        task, label = self.source.upstream_task, MODELS[self.source.model].label
        better = "higher" if task.direction == "max" else "lower"
        head = f"{label} on {task.id}, seed {self.source.seed}: {len(self.episode.steps)} steps"
        how = f"ranked by {task.metric} ({better} is better). A recording: nothing is run. Ctrl-C stops."
        rest = f"{how}\nText: {CITATION}"
        self._print(Panel(Text.assemble((head, "bold"), "\n", rest)), f"{head}\n{rest}")

    def _end(self) -> None:
        facts = dict(_summary(self.episode, self.source.upstream_task))
        table = Table.grid(padding=(0, 2))
        for name, value in facts.items():
            table.add_row(Text(name, style="dim"), Text(value))
        chart = Text(_chart(self.standings))
        self._print(Rule("the end", style="dim"), "\n--- the end ---")
        parts: list[RenderableType] = [chart, Text(), table] if self.standings else [table]
        self._print(
            Panel(Group(*parts)), "\n".join([str(chart), *(f"{name}: {value}" for name, value in facts.items())])
        )

    def _print(self, rich: RenderableType, text: str) -> None:
        if self.console.is_terminal:
            self.console.print(rich)
        else:
            self.console.out(text, highlight=False)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))


def _ranked(scores: Scores | None, task: UpstreamTask) -> float | None:
    return (scores or {}).get(task.metric)


def _standings(episode: PublishedEpisode, task: UpstreamTask) -> Iterator[tuple[int, Standing]]:
    """(step number, standing) of every scored validation."""
    sign = SIGN[task.direction]
    baseline = _ranked(episode.baseline, task)
    best = float("-inf") if baseline is None else sign * baseline
    for step in episode.steps:
        if (score := _ranked(step.scores, task)) is not None:
            gain = None if baseline is None else sign * (score - baseline)
            yield step.number, Standing(score, baseline, gain, best=sign * score > best)
            best = max(best, sign * score)


def _chart(standings: dict[int, Standing]) -> str:
    """One bar per validation, from the lowest to the highest value shown, the baseline as a bar of its own."""
    rows = [(f"step {number}", standing.score) for number, standing in standings.items()]
    baseline = next((s.baseline for s in standings.values() if s.baseline is not None), None)
    if baseline is not None:
        rows.insert(0, ("baseline", baseline))
    values = [value for _, value in rows]
    low, span = min(values, default=0.0), (max(values, default=0.0) - min(values, default=0.0)) or 1.0
    return "\n".join(
        f"{name:>9} {value:>9.4g} {'#' * (1 + round((BAR_WIDTH - 1) * (value - low) / span))}" for name, value in rows
    )


def _summary(episode: PublishedEpisode, task: UpstreamTask) -> Iterator[tuple[str, str]]:
    final, usage = _ranked(episode.final, task), episode.usage
    yield "handed in", "nothing that upstream scored" if final is None else f"{task.metric} {final:.4g}"
    yield "exit status", plain(episode.exit_status).replace("\n", " ")
    yield "tokens", f"{usage.input_tokens:,} in, {usage.output_tokens:,} out, {usage.api_calls} calls"
    if usage.reported_cost_usd is not None:
        yield "cost", f"${usage.reported_cost_usd:.3f}, as the run itself reported it"
