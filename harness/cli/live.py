"""What a person sees while episodes run: a live table on a terminal, lines for a log, or nothing.

Takes the runner's Progress and the episodes that ended, prints to stderr. Never decides anything about the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.clock import now
from harness.runner.progress import Progress

if TYPE_CHECKING:
    from harness.runner.run import Ended

View = Literal["live", "plain", "ends", "none"]


@dataclass
class Board:
    """The run so far. `spent_usd` and `limit_usd` None: no model, no limit of the run."""

    total: int
    console: Console
    view: View
    spent_usd: Callable[[], float] | None = None
    limit_usd: float | None = None
    done: int = 0
    running: dict[str, tuple[Progress, float]] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    _spent: float = 0.0

    def watch(self, told: Progress) -> None:
        """Take what the runner says."""
        self.running[told.key] = (told, time.monotonic())
        if self.spent_usd is not None and self.view == "live":
            self._spent = self.spent_usd()
        if self.view == "plain":
            line = f"{now()} {told.key} step {told.steps}/{told.steps_limit} {told.doing}"
            self.console.print(f"{line} {_score(told)} {_usd(told.cost_usd)} left {_clock(_left_s(told, 0.0))}")

    def ended(self, one: Ended) -> None:
        """Say how an episode ended."""
        self.running.pop(one.key, None)
        self.done += 1
        status = one.episode.exit_status if one.episode else "not finished"
        stamp = f"{now()} " if self.view == "plain" else "  "
        self.console.print(f"{stamp}{one.key:<28} {status}{'' if one.fresh else '  (was there)'}", markup=False)

    def __rich__(self) -> Group:
        head = Text(f"{self.done}/{self.total} episodes  {_clock(time.monotonic() - self.begun)}")
        if self.spent_usd is not None:
            limit = "" if self.limit_usd is None else f" of ${self.limit_usd:g}"
            head.append(f"  spent {_usd(self._spent)}{limit}")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("episode", "doing", "steps", "score so far", "spent", "time left"):
            table.add_column(column, no_wrap=True)
        for told, at in list(self.running.values()):
            left_s = _left_s(told, time.monotonic() - at)
            steps = f"{told.steps}/{told.steps_limit}"
            cells = (told.key, told.doing, steps, _score(told), _usd(told.cost_usd), _clock(left_s))
            table.add_row(*(Text(cell) for cell in cells))
        return Group(head, table) if self.running else Group(head)


@contextmanager
def board(
    total: int,
    *,
    quiet: bool,
    plain: bool,
    spent_usd: Callable[[], float] | None = None,
    limit_usd: float | None = None,
) -> Iterator[Board]:
    """A board that shows itself: live on a terminal, a line an episode elsewhere, a line a step with `plain`."""
    console = Console(stderr=True, highlight=False, quiet=quiet, soft_wrap=plain)
    view: View = "none" if quiet else "plain" if plain else "live" if console.is_terminal else "ends"
    shown = Board(total, console, view, spent_usd, limit_usd)
    if view != "live":
        yield shown
        return
    with Live(shown, console=console, refresh_per_second=4, transient=True):
        yield shown


def _left_s(told: Progress, since_s: float) -> float:
    return max(0.0, told.wall_time_s - told.elapsed_s - since_s)


def _score(told: Progress) -> str:
    return "-" if told.score is None else f"{told.score:.4g}"


def _usd(usd: float | None) -> str:
    return "-" if usd is None else f"${usd:.4f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
