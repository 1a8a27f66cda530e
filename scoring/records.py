"""Records of one ranking: its tables as the frozen Board that the site prints.

Takes a connection and a Ranking, gives a Board. Computes nothing: every number is a cell of a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import duckdb
import polars as pl

from harness.schema.bundle import AuditNote
from scoring.boards import Ranking
from scoring.cells import CellTable, cell_table
from scoring.leaderboard import Board, BoardTask, Constants, Curve, Flag, ParetoPoint, Row
from scoring.listing import invalid_values, listing
from scoring.made import Made, lean, trusted
from scoring.plan import Plan
from scoring.sentences import headline, sentences
from scoring.tables import SEEDS, choose, frame, give_back, query
from scoring.unranked import unranked_tasks
from scoring.vocabulary import BASELINE, Column

_STANDING = ("rank", "rank_low", "rank_high", "tie_group", "aup", "mean_aup", "borda", "beats_tuner")
_ENTRY = ("agent", "agent_version", "model", "model_label", "organization", "url", "open_weights", "date")
Tree = dict[str, Any]
_TOGETHER = 256
"""Entries that are made into records at once."""
_LINES = 4096


def board_record(db: duckdb.DuckDBPyConnection, ranking: Ranking) -> Board:
    """The whole Board of one ranking; rows by rank of what was handed in, unranked ones after them."""
    plan = ranking.plan
    said, first = _sentences(db, ranking)  # before there are rows: it lists them all
    give_back(db)
    curves = Curves(ranking.table("profiles"), ranking.table("board"))
    ranking.tables.let_go("profiles")
    rows = tuple(sorted(_rows(db, ranking), key=_order))
    tasks = tuple(_task(tree) for tree in _in_order(plan, ranking.table("tasks")))
    return Board(
        id=plan.id,
        reading=plan.reading,
        title=plan.title,
        preview=plan.preview is not None,
        constants=_constants(ranking),
        tasks=tasks,
        unranked=unranked_tasks(db, plan),
        rows=rows,
        curves=curves,
        pareto=_points(ranking, rows),
        sentences=said,
        headline=first,
        caveats=plan.caveats,
    )


def _sentences(db: duckdb.DuckDBPyConnection, ranking: Ranking) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All of them, and those to know first."""
    rows, tasks = listing(db, ranking, "last"), ranking.table("tasks")
    notes = invalid_values(db, ranking)
    return sentences(ranking.plan.reading, rows, tasks, "last", notes), headline(rows, tasks, "last")


def _rows(db: duckdb.DuckDBPyConnection, ranking: Ranking) -> Iterator[Row]:
    facts = _Facts(db, ranking)
    give_back(db)
    for start in range(0, facts.people.height, _TOGETHER):
        some = facts.people.slice(start, _TOGETHER)
        facts.look_up(some["entry"].to_list())
        for place, person in enumerate(some.iter_rows(named=True), start):
            yield _lean_row(facts.row(place, person))
    facts.look_up([BASELINE])
    yield _lean_row(facts.baseline())


class _Facts:
    """Every table of a ranking, by entry; standings, costs and conduct only of whom `look_up` was last asked for."""

    standings: Mapping[str, dict[Column, Tree]]
    costs: Mapping[str, Tree]
    conduct: Mapping[str, Tree]

    def __init__(self, db: duckdb.DuckDBPyConnection, ranking: Ranking) -> None:
        plan = self.plan = ranking.plan
        choose(db, plan.chosen, plan.yard)
        self.people = frame(db, "people")
        self.notes: dict[int, list[AuditNote]] = defaultdict(list)
        for note in frame(db, "notes").to_dicts():
            known = {key: value for key, value in note.items() if value is not None and key != "place"}
            self.notes[note["place"]].append(lean(AuditNote.model_validate(known)))
        self.actions: dict[int, Tree] = defaultdict(dict)
        for place, action, steps in _lines(query(db, "actions_of_entry", seeds=SEEDS)):
            self.actions[place][action] = steps
        self.cells = self._cells(db, ranking)
        self._ranking = ranking

    def _cells(self, db: duckdb.DuckDBPyConnection, ranking: Ranking) -> CellTable:
        numbers = {rule.id: number for number, rule in enumerate(self.plan.yard.rules)}
        notes: dict[tuple[int, int], list[AuditNote]] = defaultdict(list)
        for place, said in self.notes.items():
            for note in said:
                if note.task in numbers:
                    notes[place, numbers[note.task]].append(note)
        give_back(db)
        return cell_table(
            [(rule.id, rule.metric, rule.direction) for rule in self.plan.yard.rules],
            [*self.people["entry"], BASELINE],
            partial(ranking.tables.part, "task_scores"),
            query(db, "tokens", seeds=SEEDS).fetchnumpy(),
            _lines(query(db, "exits", seeds=SEEDS)),  # read before any other query
            {at: tuple(said) for at, said in notes.items()},
        )

    def look_up(self, names: Sequence[str]) -> None:
        """Whose rows are wanted next: trees of everybody's would be several times as large as the records."""
        some = pl.col("entry").is_in(names)
        self.standings = _standings(*(self._ranking.table(name).filter(some) for name in ("board", "domains")))
        self.costs, self.conduct = (_by_entry(self._ranking.table(name).filter(some)) for name in ("costs", "conduct"))

    def row(self, place: int, person: Tree) -> Tree:
        name = person["entry"]
        preview = name == self.plan.preview
        cost, conduct = self.costs[name], self.conduct[name]
        return {
            "kind": "preview" if preview else "entry",
            "entry": {"id": name} | {key: person[key] for key in _ENTRY},
            "id": name,
            "label": person["model_label"] or person["model"] or person["agent"],
            "submitter": person["submitter"],
            "level": None if preview else person["level"],
            "profile": person["profile"],
            "standings": self.standings[name],
            "cells": self.cells.row(place),
            "cost": _cost(cost),
            "valid_episodes": self.cells.valid_episodes(place),
            "episodes": len(self.plan.yard.rules) * SEEDS,
            "exits": self.cells.exits_of(place),
            **{key: conduct[key] for key in ("failed", "incomplete", "dominant_failure", "steps")},
            **{key: cost[key] for key in ("input_tokens", "output_tokens", "wall_s", "gpu_s")},
            "actions": self.actions[place],
            "citation": _citation(person),
            "notes": tuple(self.notes[place]),
            "not_ranked_because": self.plan.not_ranked.get(name),
            "partial": name in self.plan.partial,
        }

    def baseline(self) -> Tree:
        return {
            "kind": BASELINE,
            "entry": None,
            "id": BASELINE,
            "label": "Baseline",
            "standings": self.standings[BASELINE],
            "cells": self.cells.row(self.people.height),
            "cost": {"usd_per_episode": None, "source": "unknown", "words": "not a run"},
            "valid_episodes": 0,
            "episodes": 0,
            "not_ranked_because": "the baseline is what the others are measured against",
        }


class Curves(Made[Curve]):
    """Of the table profiles, whoever has an AUP on the `board`; 20,000 of them as objects were 40 MB."""

    def __init__(self, profiles: pl.DataFrame, board: pl.DataFrame) -> None:
        shown = board.filter(pl.col("aup").is_not_null()).select("entry").unique()
        rows = profiles.join(shown, on="entry", how="semi").sort("entry", "score", "tau")
        if not rows.select((pl.col("tau").is_finite() & pl.col("rho").is_finite()).fill_null(False).all()).item():
            raise ValueError("a curve of the board has a point that is none")
        self._table = rows.group_by("entry", "score", maintain_order=True).agg("tau", "rho")

    def __len__(self) -> int:
        return self._table.height

    def make(self, place: int) -> Curve:
        return _curve(self._table.row(place))

    def __iter__(self) -> Iterator[Curve]:
        return map(_curve, self._table.iter_rows())


def _curve(line: tuple[Any, ...]) -> Curve:
    row, column, tau, rho = line
    return trusted(Curve, {"row": row, "column": column, "tau": tuple(tau), "rho": tuple(rho)})


class Points(Made[ParetoPoint]):
    """Of a table whose columns are the fields of the record."""

    def __init__(self, table: pl.DataFrame) -> None:
        known = table.select(pl.all_horizontal(pl.col("aup", "cost_usd").is_finite().fill_null(True)).all())
        if not known.item() or table["aup"].null_count() or table["frontier"].null_count():
            raise ValueError("a point of the board is none")
        self._table = table

    def __len__(self) -> int:
        return self._table.height

    def make(self, place: int) -> ParetoPoint:
        return trusted(ParetoPoint, self._table.row(place, named=True))

    def __iter__(self) -> Iterator[ParetoPoint]:
        return (trusted(ParetoPoint, line) for line in self._table.iter_rows(named=True))


class Flags(Made[Flag]):
    """The table of that name."""

    def __init__(self, table: pl.DataFrame) -> None:
        self._table = table

    def __len__(self) -> int:
        return self._table.height

    def make(self, place: int) -> Flag:
        return lean(Flag.model_validate(self._table.row(place, named=True)))

    def some(self, places: range) -> tuple[Flag, ...]:
        if places.step != 1:
            return super().some(places)
        return tuple(_flags(self._table.slice(places.start, len(places))))

    def __iter__(self) -> Iterator[Flag]:
        return _flags(self._table)

    def entries(self) -> dict[str, slice]:
        """By entry, where its own lie; they are in order of entries."""
        ends = self._table["entry"].rle()
        names, lengths = ends.struct.field("value").to_list(), ends.struct.field("len")
        starts = (lengths.cum_sum() - lengths).to_list()
        return {
            name: slice(start, start + many) for name, start, many in zip(names, starts, lengths.to_list(), strict=True)
        }

    def said(self, places: slice) -> str:
        """All that these say, in words that differ when they do."""
        start, stop, _ = places.indices(len(self))
        return repr(self._table.slice(start, stop - start).rows())


def _flags(table: pl.DataFrame) -> Iterator[Flag]:
    return (lean(Flag.model_validate(tree)) for tree in table.iter_rows(named=True))


def _lean_row(tree: Tree) -> Row:
    row = lean(Row.model_validate(tree))
    for standing in row.standings.values():
        lean(standing)
    return row


def _lines(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, not all at once."""
    while lines := found.fetchmany(_LINES):
        yield from lines


def _in_order(plan: Plan, rows: pl.DataFrame) -> list[Tree]:
    """Rows of a table in the order of the yardstick's tasks."""
    place = {rule.id: number for number, rule in enumerate(plan.yard.rules)}
    return sorted(rows.to_dicts(), key=lambda tree: place[tree["task"]])


def _by_entry(table: pl.DataFrame) -> Mapping[str, Tree]:
    return {tree["entry"]: tree for tree in table.to_dicts()}


def _standings(board: pl.DataFrame, by_domain: pl.DataFrame) -> Mapping[str, dict[Column, Tree]]:
    """By entry and kind of score; nothing for who has no value at all."""
    domains: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for tree in by_domain.to_dicts():
        domains[tree["entry"], tree["score"]][tree["domain"]] = tree["aup"]
    found: dict[str, dict[Column, Tree]] = defaultdict(dict)
    for tree in board.to_dicts():
        if tree["aup"] is None:
            continue
        out = (tree["leave_one_out_low"], tree["leave_one_out_high"])
        found[tree["entry"]][tree["score"]] = {key: tree[key] for key in _STANDING} | {
            "aup_interval": _interval(tree["aup_low"], tree["aup_high"]),
            "mean_interval": _interval(tree["mean_low"], tree["mean_high"]),
            "leave_one_out": None if out[0] is None else out,
            "by_domain": domains[tree["entry"], tree["score"]],
        }
    return found


def _interval(low: float | None, high: float | None) -> Tree | None:
    return None if low is None else {"low": low, "high": high}


def _cost(tree: Tree) -> Tree:
    names = ("usd_per_episode", "run_day_usd_per_episode", "reported_usd_per_episode", "words")
    known = "unknown" if tree["usd_per_episode"] is None else "recomputed"
    return {key: tree[key] for key in names} | {"source": known}


def _citation(person: Tree) -> Tree | None:
    if person["citation_title"] is None:
        return None
    return {key: person[f"citation_{key}"] for key in ("title", "url", "licence")}


def _task(tree: Tree) -> BoardTask:
    unwanted = ("board", "reading", "last_reference", "task")
    kept = {key: value for key, value in tree.items() if key not in unwanted}
    return BoardTask.model_validate(kept | {"id": tree["task"], "reference": tree["last_reference"]})


def _constants(ranking: Ranking) -> Constants:
    [tree] = ranking.table("constants").to_dicts()
    return Constants.model_validate({key: tree[key] for key in Constants.model_fields})


def _points(ranking: Ranking, rows: tuple[Row, ...]) -> Points:
    points = ranking.table("board").select("entry", "score", "cost_usd", "aup", "frontier")
    found = {(entry, score): figures for entry, score, *figures in points.iter_rows()}
    placed = ((row.id, column) for row in rows if row.kind != BASELINE for column in row.standings)
    lines = [(*who, *found[who]) for who in placed]
    return Points(pl.DataFrame(lines, dict(zip(ParetoPoint.model_fields, points.dtypes, strict=True)), orient="row"))


def _order(row: Row) -> tuple[bool, bool, int, float, str]:
    last = row.standings.get("last")
    rank = last.rank if last else None
    return (row.kind == BASELINE, rank is None, rank or 0, -last.aup if last else 0.0, row.id)
