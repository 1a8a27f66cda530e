"""What `gymboard rank` prints: a table for people, JSON or CSV for programs.

Takes where the entries are and what was asked, writes to standard output; warnings go to standard error. Text of an
entry is never taken for markup or for a control sequence. Computes nothing: every number is a field of the Leaderboard.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import UsageError
from scoring.build import build_leaderboard
from scoring.leaderboard import Board, Cell, Column, Leaderboard, Reading, Row
from scoring.load import load_unpublished

WIDE = 160
NARROW = 110
_FIELDS = (
    "board",
    "reading",
    "column",
    "preview",
    "rank",
    "rank_low",
    "rank_high",
    "tie_group",
    "entry",
    "label",
    "kind",
    "level",
    "aup",
    "aup_low",
    "aup_high",
    "mean_aup",
    "borda",
    "usd_per_episode",
    "valid_episodes",
    "episodes",
    "not_ranked_because",
)


def show(
    submissions: Path, reading: Reading, column: Column, output: str, with_: Path | None, explain: str | None
) -> None:
    """Print the boards asked for. Raises UsageError on a folder, an entry or a combination that is not there."""
    if not submissions.is_dir():
        raise UsageError(f"no folder {submissions}; run in a checkout of the board or name one with --submissions")
    if with_ is not None and reading == "mlgym-compat":
        raise UsageError("a preview has no mlgym-compat reading; use --reading live to stand beside published results")
    previews = () if with_ is None else (load_unpublished(with_),)
    leaderboard = build_leaderboard(submissions, previews=previews)
    boards = _chosen(leaderboard, reading)
    if with_ is not None and not any(board.preview for board in boards):
        raise UsageError("the run has no task in common with the published results; try --reading season")
    if explain is not None:
        boards = [board for board in boards if _find(board, explain)] or _nobody(boards, explain)
    if output == "json":
        _json(leaderboard, boards, explain)
    elif output == "csv":
        _csv(boards, column, explain)
    else:
        _tables(boards, column, explain)
    for rejection in leaderboard.rejections:
        for reason in rejection.reasons:
            print(_plain(f"warning: {rejection.folder}: {reason}"), file=sys.stderr)


def _chosen(leaderboard: Leaderboard, reading: Reading) -> list[Board]:
    boards = (*leaderboard.boards, *leaderboard.previews)
    return [board for board in boards if board.reading == reading]


def _find(board: Board, entry: str) -> Row | None:
    return next((row for row in board.rows if row.id == entry), None)


def _nobody(boards: Sequence[Board], entry: str) -> list[Board]:
    known = sorted({row.id for board in boards for row in board.rows})
    near = get_close_matches(entry, known, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"no entry {entry!r} under this reading; there are: {', '.join(known)}.{hint}")


def _json(leaderboard: Leaderboard, boards: Sequence[Board], explain: str | None) -> None:
    facts = leaderboard.model_dump(mode="json", include={"scoring_version", "data_sha256", "data_date", "rejections"})
    shown = [board.model_dump(mode="json") for board in boards]
    for board in shown if explain else ():
        board["rows"] = [row for row in board["rows"] if row["id"] == explain]
    print(json.dumps(facts | {"boards": shown}, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))


def _csv(boards: Sequence[Board], column: Column, explain: str | None) -> None:
    writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for board in boards:
        for row in board.rows:
            if explain in (None, row.id):
                writer.writerow(_record(board, row, column))


def _record(board: Board, row: Row, column: Column) -> dict[str, object]:
    place = row.standings.get(column)
    interval = place.aup_interval if place else None
    return {
        "board": board.id,
        "reading": board.reading,
        "column": column,
        "preview": board.preview,
        **{name: getattr(place, name, None) for name in ("rank", "rank_low", "rank_high", "tie_group")},
        **{name: getattr(place, name, None) for name in ("aup", "mean_aup", "borda")},
        "entry": _cell_text(row.id),
        "label": _cell_text(row.label),
        "kind": row.kind,
        "level": row.level,
        "aup_low": interval.low if interval else None,
        "aup_high": interval.high if interval else None,
        "usd_per_episode": row.cost.usd_per_episode,
        "valid_episodes": row.valid_episodes,
        "episodes": row.episodes,
        "not_ranked_because": row.not_ranked_because,
    }


def _cell_text(text: str) -> str:
    """A spreadsheet must not take an entry's text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _tables(boards: Sequence[Board], column: Column, explain: str | None) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    for board in boards:
        told = _find(board, explain) if explain else None
        console.print(Text(f"{board.title} · {_facts(board)} · column {column}", style="bold"))
        console.print(
            _explained(board, told, column) if told else _ranking(board, column, wide=console.width >= NARROW)
        )
        for line in (told.not_ranked_because,) if told else (*board.sentences, *board.caveats):
            if line:
                console.print(Text(_plain(line)))
        for note in told.notes if told else ():
            console.print(
                Text(_plain(f"audit: {note.task} seed {note.seed} {note.metric} {note.value:.6g}: {note.finding}"))
            )
        console.print()


def _facts(board: Board) -> str:
    constants = board.constants
    frozen = f"season {constants.season}, frozen {constants.frozen}" if constants.season else f"reading {board.reading}"
    return f"{frozen}, tau_max {constants.tau_max:g}, {len(board.tasks)} tasks x {constants.seeds} seeds"


def _ranking(board: Board, column: Column, *, wide: bool) -> Table:
    titles = ("rank", "model or agent", "level", "AUP", "95 %", "$/episode", "valid", "failed mostly by", "entry")
    ordered = sorted(board.rows, key=lambda row: _by(row, column))
    shown = titles if wide else titles[:-2]
    return _table(shown, (_line(row, column)[: len(shown)] for row in ordered), {"AUP", "$/episode", "valid"})


def _by(row: Row, column: Column) -> tuple[bool, bool, float, str]:
    place = row.standings.get(column)
    return (row.kind == "baseline", place is None or place.rank is None, -place.aup if place else 0.0, row.id)


def _line(row: Row, column: Column) -> tuple[str, ...]:
    place = row.standings.get(column)
    rank, interval = place.rank if place else None, place.aup_interval if place else None
    spans = place is not None and place.rank_low is not None and place.rank_low != place.rank_high
    ranks = f"{rank} ({place.rank_low}-{place.rank_high})" if place and spans else str(rank or "-")
    if row.kind == "preview":
        ranks = f"[{ranks}]"
    cost = row.cost.usd_per_episode
    return (
        ranks,
        row.label,
        row.level or ("not ranked" if row.kind == "preview" else row.kind),
        f"{place.aup:.3f}" if place else "-",
        f"{interval.low:.3f}-{interval.high:.3f}" if interval and interval.low < interval.high else "-",
        "N/A" if cost is None else f"{cost:.2f}",
        f"{row.valid_episodes}/{row.episodes}" if row.episodes else "-",
        (row.dominant_failure or "-").replace("_", " "),
        "-" if row.kind == "baseline" else row.id,
    )


def _explained(board: Board, row: Row, column: Column) -> Table:
    titles = ("task", "metric", "baseline", "reference", "value", "mean ± se", "log10 ratio", "share of AUP", "")
    lines = []
    for task, cell in zip(board.tasks, row.cells, strict=True):
        score = cell.best if column == "best" else cell.last
        lines.append(
            (
                task.title,
                f"{cell.metric} ({cell.direction})",
                _number(task.baseline),
                _number(task.best_reference if column == "best" else task.reference),
                _number(score.value),
                "-" if score.mean is None else f"{_number(score.mean)} ± {_number(score.stderr)}",
                _number(score.log10_ratio),
                f"{score.contribution:.4f}",
                _remark(cell, column),
            )
        )
    return _table(titles, lines, {"baseline", "reference", "value", "log10 ratio", "share of AUP"})


def _remark(cell: Cell, column: Column) -> str:
    score = cell.best if column == "best" else cell.last
    parts = ["" if score.feasible else "no valid artifact" if score.value is None else "worse than the baseline"]
    if cell.notes:
        parts.append("audit note" if len(cell.notes) == 1 else f"{len(cell.notes)} audit notes")
    return ", ".join(filter(None, parts))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _table(titles: Sequence[str], lines: Iterable[Sequence[str]], numbers: set[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, justify="right" if title in numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(_plain(text)) for text in line))
    return table


def _plain(text: str) -> str:
    """One line without control characters or changes of writing direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
