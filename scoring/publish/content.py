"""What fills the slots of each page: the one place that decides what stands on Home.

Takes a Leaderboard, the tasks and the bundles, gives markup by slot name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from harness.schema.bundle import AuditNote, Bundle
from harness.schema.task import TaskSpec
from scoring.leaderboard import BASELINE, Board, Leaderboard, Row
from scoring.publish.figures import figures
from scoring.publish.formats import number
from scoring.publish.templates import page_name, render, visible

ENOUGH = 3
"""Ranked entries that the season board needs before Home opens on it."""


class Preview(NamedTuple):
    """A preview board and the one row that it is about."""

    board: Board
    row: Row


class Shown(NamedTuple):
    """A row that has a page, and the board whose figures the page shows."""

    board: Board
    row: Row


@dataclass(frozen=True)
class Content:
    """Fills slots. Every method gives the values of one page's slots."""

    leaderboard: Leaderboard
    tasks: Mapping[str, TaskSpec]
    bundles: Mapping[str, Bundle]
    env: jinja2.Environment

    @property
    def published(self) -> list[Board]:
        """The readings of the published results; the one that reproduces the publication first."""
        found = [self.leaderboard.board("published", reading) for reading in ("mlgym-compat", "live")]
        return [board for board in found if board is not None]

    @property
    def season(self) -> Board | None:
        return self.leaderboard.board("season", "season")

    def _ranked(self) -> int:
        return (
            sum(row.standings[self.season.default_column].rank is not None for row in self.season.rows)
            if self.season
            else 0
        )

    def home(self) -> dict[str, str]:
        """Home: the season board once enough entries are ranked, the published results until then."""
        use_season = self._ranked() >= ENOUGH or not self.published
        board = self.season if use_season else self.published[0]
        if board is None:
            return {"home": Markup("<p>No entry and no published result is on the board yet.</p>")}
        ranked = self._ranked()
        return {
            "home": render(
                self.env,
                "home.html",
                board=board,
                second=None if use_season else self.season,
                facts=self._facts(board),
                ranked_words="No entry has been regraded and ranked yet."
                if not ranked
                else f"Only {ranked} regraded entr{'y is' if ranked == 1 else 'ies are'} ranked yet.",
                previews=self._previews(),
                charts=figures(board),
                known=set(self.tasks),
                digest=self.leaderboard.data_sha256[:12],
            )
        }

    def _facts(self, board: Board) -> list[str]:
        entries = sum(row.kind == "entry" for row in board.rows)
        return [
            f"{entries} agent{'s' if entries != 1 else ''}",
            f"{len(board.tasks)} tasks",
            f"data of {self.leaderboard.data_date}",
            f"scoring {self.leaderboard.scoring_version}",
        ]

    def _previews(self) -> list[Preview]:
        pairs = (
            (board, next((r for r in board.rows if r.kind == "preview"), None)) for board in self.leaderboard.previews
        )
        return [Preview(board, row) for board, row in pairs if row is not None]

    def published_page(self) -> dict[str, str]:
        """Both readings, the audit notes, the scores."""
        rows = self.published[0].rows if self.published else ()
        notes = [(row, note) for row in rows for note in row.notes if row.kind == "entry"]
        context = {"boards": self.published, "notes": notes, "known": set(self.tasks)}
        return {"published": render(self.env, "published.html", **context)}

    def ledger(self) -> dict[str, str]:
        """Every line of the ledger, and what was rejected."""
        lines, rejections = self.leaderboard.ledger, self.leaderboard.rejections
        pages = {page_name(shown.row) for shown in self.entries()}
        return {"ledger": render(self.env, "ledger.html", lines=lines, rejections=rejections, entries=pages)}

    def data(self) -> dict[str, str]:
        """The digest and the constants of every board."""
        return {"data": render(self.env, "data.html", leaderboard=self.leaderboard)}

    def task(self, task: str) -> dict[str, str]:
        """One task's scores on every board that has it, and its audit notes."""
        headline = [board for board in (self.season, *self.published[:1]) if board is not None]
        ids = [[t.id for t in board.tasks] for board in headline]
        boards = [(board, names.index(task)) for board, names in zip(headline, ids, strict=True) if task in names]
        rows = {row.id: row for board, _ in boards for row in board.rows}
        notes: list[tuple[Row, AuditNote]] = [(r, n) for r in rows.values() for n in r.notes if n.task == task]
        return {"scores": render(self.env, "task.html", boards=boards, notes=notes)}

    def entries(self) -> Iterator[Shown]:
        """Every row that gets a page, once: season board, published board, previews."""
        seen: set[str] = set()
        boards = [*([self.season] if self.season else []), *self.published, *self.leaderboard.previews]
        for board in boards:
            for row in board.rows:
                wanted = row.kind == "preview" if board.preview else row.kind == "entry"
                if wanted and page_name(row) not in seen:
                    seen.add(page_name(row))
                    yield Shown(board, row)

    def entry(self, shown: Shown) -> dict[str, str]:
        """The slots of one entry's page."""
        board, row = shown
        bundle = self.bundles.get(page_name(row))
        base = next((other for other in board.rows if other.kind == BASELINE), None)
        standing = row.standings[board.default_column]
        exits = sorted(row.exits.items(), key=lambda pair: -pair[1])
        actions = sorted(row.actions.items(), key=lambda pair: -pair[1])
        cells = [
            (task, cell, base.cells[place] if base else None)
            for place, (task, cell) in enumerate(zip(board.tasks, row.cells, strict=True))
        ]
        context = {"board": board, "row": row, "bundle": bundle, "standing": standing, "known": set(self.tasks)}
        context |= {"cells": cells, "exits": exits, "actions": actions}
        context |= {"exits_top": max((n for _, n in exits), default=1) or 1}
        context |= {"actions_top": max((n for _, n in actions), default=1) or 1}
        context |= {
            "ledger": [line for line in self.leaderboard.ledger if line.entry == row.id and row.kind == "entry"]
        }
        context |= {"bundle_sha256": hashlib.sha256(bundle.canonical()).hexdigest() if bundle else ""}
        parts = ("entry_head", "entry_tasks", "entry_conduct", "entry_provenance")
        slots: dict[str, str] = {p.replace("_", "-"): render(self.env, f"{p}.html", **context) for p in parts}
        title = visible(row.label)
        description = f"{title} on Gymboard: AUP {number(standing.aup)}, level {row.level or 'none'}"
        return {**slots, "entry-title": title, "entry-description": description, "entry-page": page_name(row)}
