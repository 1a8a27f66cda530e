"""The rows of a ranking as files for the browser: assets/boards/<reading>.json, columns rather than rows.

Takes Tables, writes JSON; of a board of more than WHOLE rows the first LEADING, and all others in <reading>.rest.json,
which a page asks for once somebody wants more than to look at the top. Every column is a list over the rows in rank
order, the baseline among them (id "baseline"):

  plain  {id, label, aup_low, aup_high, best, usd, strip, search, valid, failed, steps, tokens, rank_low, rank_high}
         aup_low and rank_low lie below the row's own aup and rank by as much as the list says, *_high above them; AUPs
         (best too) are in thousandths, `usd` is USD an episode in the digits shown, `strip` one letter a task in the
         order of `tasks` (scoring.publish.table.CODES; a capital letter: with an audit note), null is "not known"
  delta  {rank, band, aup}: each value is the difference to the value before it; null stays null and adds nothing
  words  {agent, organization, level, open_weights, failure, date, why}: [words, place of each row's word in them]
  tasks  [[id, words, domain], ...]; letters, failures: in words; scale: ends of the whiskers' axis, in thousandths
  board, reading, score, episodes (expected of each entry), searched (tasks where plain search was run), missing (rows
  of the table that are in the other file)

assets/js/data.js turns it into plain columns. Written so, a row takes about 20 bytes gzipped beyond its names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scoring.publish.cells import WORDS
from scoring.publish.formats import EXITS, slug_words, visible
from scoring.publish.table import CODES, LEADING, Line, Table

_PLAIN = ("id", "label", "usd", "best", "strip", "search", "valid", "failed", "steps", "tokens")
_DELTA = ("rank", "band", "aup")
_WORDS = ("agent", "organization", "level", "open_weights", "failure", "date", "why")


def write_rows(tables: Iterable[Table], folder: Path) -> None:
    """One file a board that has rows, or two. The same board gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        lines, name = table.lines, table.board.reading
        parts = {name: lines[:LEADING], f"{name}.rest": lines[LEADING:]} if table.is_split else {name: lines}
        for part, some in parts.items():
            text = json.dumps(columns(table, some), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            (folder / f"{part}.json").write_text(text, encoding="utf-8")


def columns(table: Table, lines: Sequence[Line]) -> dict[str, Any]:
    """The document of these rows of the table."""
    board = table.board
    plain: dict[str, list[Any]] = {name: [_shown(getattr(line, name)) for line in lines] for name in _PLAIN}
    for name in ("rank", "aup"):
        plain[f"{name}_low"] = [_less(getattr(line, name), getattr(line, f"{name}_low")) for line in lines]
        plain[f"{name}_high"] = [_less(getattr(line, f"{name}_high"), getattr(line, name)) for line in lines]
    return {
        "board": board.id,
        "reading": board.reading,
        "score": board.default_column,
        "episodes": table.episodes,
        "missing": len(table.lines) - len(lines),
        "searched": table.searched,
        "scale": table.scale,
        "letters": {letter: WORDS[kind] for kind, letter in CODES.items()},
        "tasks": [[task.id, slug_words(task.id), task.domain] for task in board.tasks],
        "failures": {code: EXITS[code] for code in sorted({line.failure for line in table.lines if line.failure})},
        "plain": plain,
        "delta": {name: _delta([getattr(line, name) for line in lines]) for name in _DELTA},
        "words": {name: _words(name, lines) for name in _WORDS},
    }


def _less(value: int | None, other: int | None) -> int | None:
    return None if value is None or other is None else value - other


def _delta(values: Sequence[int | None]) -> list[int | None]:
    before, out = 0, list[int | None]()
    for value in values:
        out.append(None if value is None else value - before)
        before = before if value is None else value
    return out


def _words(name: str, lines: Sequence[Line]) -> tuple[list[Any], list[int]]:
    """Words in the order of their first row."""
    places: dict[Any, int] = {}
    at = [places.setdefault(_shown(getattr(line, name)), len(places)) for line in lines]
    return list(places), at


def _shown(value: Any) -> Any:
    """Text as a page shows it: no control or direction marks."""
    return visible(value) if isinstance(value, str) else value
