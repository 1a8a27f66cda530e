"""What `gymboard rank` shows to people: tables, findings, and one entry task by task.

Takes a Built and what was asked, prints. Text of an entry is never taken for markup or for a control sequence.
Computes nothing: every number is a cell of a table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.schema.declares import declared
from scoring.boards import Ranking
from scoring.build import Built
from scoring.explain import Line, explain, next_rank
from scoring.listing import Listed, invalid_values, listing
from scoring.rejections import one_line
from scoring.sentences import cheapest, sentences
from scoring.vocabulary import BASELINE, Column

WIDE = 160
NARROW = 110
SEARCH = "beats search"


def print_rankings(
    built: Built, rankings: Sequence[Ranking], score: Column, *, limit: int, at_least: float | None
) -> None:
    """Each ranking's head, its first `limit` rows (0: all), what follows from it and what it does not say."""
    console = _console()
    for ranking in rankings:
        rows = listing(built.facts.db, ranking, score)
        shown, more = _first(rows, limit)
        _say(console, _head(ranking, score), bold=True)
        console.print(_table_of(shown, wide=console.width >= NARROW))
        if more:
            _say(console, f"... and {more} more rows; --limit 0 prints all of them")
        notes = invalid_values(built.facts.db, ranking)
        for line in sentences(ranking.plan.reading, rows, ranking.table("tasks"), score, notes):
            _say(console, line)
        if at_least is not None:
            _say(console, cheapest(rows, at_least))
        for line in ranking.plan.caveats:
            _say(console, line)
        console.print()


def print_declared(place: Path) -> None:
    """What an unpublished bundle declares that its agent was given; nothing when it declares nothing."""
    from scoring.load import load_bundle

    console, bundle = _console(), load_bundle(place).bundle
    for line, means in declared(bundle.declares):
        _say(console, f"{bundle.entry.id} declares {line}: {means}")


def print_explained(built: Built, rankings: Sequence[Ranking], score: Column, entry: str) -> None:
    """One entry task by task on every ranking that has it."""
    console = _console()
    for ranking in rankings:
        [row] = [row for row in listing(built.facts.db, ranking, score) if row.entry == entry]
        needed = next_rank(ranking, entry, score)
        lines = explain(ranking, entry, score)
        _say(console, _head(ranking, score), bold=True)
        console.print(_explained(lines, needed.rank if needed else None))
        _say(console, _place(row))
        if needed:
            _say(
                console,
                f"Rank {needed.rank} is {needed.rival}'s; it takes {needed.gain:.4f} more AUP. The last column is the "
                "score that would bring it on that task alone; '-': no score can.",
            )
        if row.not_ranked_because:
            _say(console, row.not_ranked_because)
        for note in (*_audit(built, ranking, entry), *_flags(built, ranking, entry)):
            _say(console, note)
        console.print()


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def _say(console: Console, text: str, *, bold: bool = False) -> None:
    console.print(Text(one_line(text), style="bold" if bold else ""))


def _head(ranking: Ranking, score: Column) -> str:
    plan = ranking.plan
    [tree] = ranking.table("constants").to_dicts()
    frozen = f"season {tree['season']}, frozen {tree['frozen']}" if tree["season"] else f"reading {plan.reading}"
    facts = f"{frozen}, tau_max {tree['tau_max']:g}, {len(plan.yard.rules)} tasks x {tree['seeds']} seeds"
    return f"{plan.title} · {facts} · column {score}"


def _first(rows: Sequence[Listed], limit: int) -> tuple[list[Listed], int]:
    """The first rows; the baseline and a preview are always among them."""
    if not limit or len(rows) <= limit:
        return list(rows), 0
    kept = [row for place, row in enumerate(rows) if place < limit or row.kind != "entry"]
    return kept, len(rows) - len(kept)


def _table_of(rows: Sequence[Listed], *, wide: bool) -> Table:
    titles = (
        "rank",
        "model or agent",
        "level",
        "AUP",
        "95 %",
        "$/episode",
        "valid",
        SEARCH,
        "failed mostly by",
        "entry",
    )
    wanted = titles if wide else titles[:-2]
    searched = any(row.tuner_tasks for row in rows)
    shown = [at for at, title in enumerate(wanted) if searched or title != SEARCH]
    lines = ([line[at] for at in shown] for line in map(_line, rows))
    return _table([titles[at] for at in shown], lines, {"AUP", "$/episode", "valid", SEARCH})


def _line(row: Listed) -> tuple[str, ...]:
    spans = row.rank_low is not None and row.rank_low != row.rank_high
    ranks = f"{row.rank} ({row.rank_low}-{row.rank_high})" if spans else str(row.rank or "-")
    if row.kind == "preview":
        ranks = f"[{ranks}]"
    interval = row.aup_low is not None and row.aup_high is not None and row.aup_low < row.aup_high
    return (
        ranks,
        row.label,
        row.level or ("not ranked" if row.kind == "preview" else row.kind),
        "-" if row.aup is None else f"{row.aup:.3f}",
        f"{row.aup_low:.3f}-{row.aup_high:.3f}" if interval else "-",
        "N/A" if row.cost_usd is None else f"{row.cost_usd:.2f}",
        f"{row.valid_episodes}/{row.episodes}" if row.episodes else "-",
        "-" if row.beats_tuner is None else f"{row.beats_tuner}/{row.tuner_tasks}",
        (row.dominant_failure or "-").replace("_", " "),
        "-" if row.kind == BASELINE else row.entry,
    )


def _explained(lines: Sequence[Line], rank: int | None) -> Table:
    gain = f"for rank {rank}" if rank else ""
    titles = ["task", "metric", "baseline", "reference", "value", "mean ± se", "log10 ratio", "share of AUP", gain, ""]
    numbers = {"baseline", "reference", "value", "log10 ratio", "share of AUP", gain}
    return _table(titles, (_task_line(line, rank) for line in lines), numbers)


def _task_line(line: Line, rank: int | None) -> tuple[str, ...]:
    remark = "" if line.feasible else "no valid artifact" if line.value is None else "worse than the baseline"
    return (
        line.title,
        f"{line.metric} ({line.direction})",
        _number(line.baseline),
        _number(line.reference),
        _number(line.value),
        "-" if line.mean is None else f"{_number(line.mean)} ± {_number(line.stderr)}",
        _number(line.log10_ratio),
        f"{line.contribution:.4f}",
        _number(line.needed) if rank else "",
        remark,
    )


def _place(row: Listed) -> str:
    if row.rank is None:
        return f"{row.label}: AUP {_number(row.aup)}, without a rank."
    span = f", {row.rank_low}-{row.rank_high} over resampled seeds" if row.rank_low != row.rank_high else ""
    out = (
        f"; {row.leave_one_out_low}-{row.leave_one_out_high} when one task is left out"
        if row.leave_one_out_low != row.leave_one_out_high
        else ""
    )
    return f"{row.label}: rank {row.rank}{span}{out}; AUP {row.aup:.3f}."


def _audit(built: Built, ranking: Ranking, entry: str) -> list[str]:
    if entry == ranking.plan.preview:
        return []
    found = built.facts.db.execute(
        "SELECT task, seed, metric, value, finding FROM notes JOIN entries USING (entry_no) "
        "WHERE entry = ? AND NOT preview ORDER BY ALL",
        [entry],
    ).fetchall()
    shown = set(ranking.plan.yard.tasks)
    return [
        f"audit: {task} seed {seed} {metric} {value:.6g}: {finding}"
        for task, seed, metric, value, finding in found
        if task in shown
    ]


def _flags(built: Built, ranking: Ranking, entry: str) -> list[str]:
    if entry == ranking.plan.preview:
        return []
    found = built.flags.filter(pl.col("entry") == entry, pl.col("task").is_in(ranking.plan.yard.tasks))
    return [
        f"look twice: {tree['task']} seed {tree['seed']}, {tree['flag']}: {tree['words']}" for tree in found.to_dicts()
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _table(titles: Sequence[str], lines: Iterable[Sequence[str]], numbers: set[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, justify="right" if title in numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(one_line(text)) for text in line))
    return table
