"""What fills the slots of each page: the one place that decides what stands on Home.

Takes a Leaderboard, the tasks and the loaded bundles, gives markup by slot name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter

import jinja2
from markupsafe import Markup

from harness.schema.task import TaskSpec
from scoring.conduct import Conduct
from scoring.leaderboard import Board, Flag, Leaderboard, Row
from scoring.ledger import LedgerLine
from scoring.load import Loaded
from scoring.publish.again import again
from scoring.publish.audit import audit_findings
from scoring.publish.entry import BESIDE, Shown, body_slots, head_slots
from scoring.publish.episodes import GROUPS
from scoring.publish.failures import ENDS, failures
from scoring.publish.figures import figures
from scoring.publish.kept import key
from scoring.publish.ledger_pages import LINES, NEWEST, line_ranges
from scoring.publish.progress import progress
from scoring.publish.said import said
from scoring.publish.scores import PRICE_KINDS, placed, priced
from scoring.publish.strokes import DASHES, LEADERS
from scoring.publish.table import Table, table
from scoring.publish.templates import page_name, render
from scoring.publish.texts import Texts
from scoring.publish.unpublished import unpublished
from scoring.records import Flags
from scoring.vocabulary import BASELINE, BoardId, Reading

ROWS = 50
"""Entries that a page of computed figures links without JavaScript."""
MOVED = {"entries", "beaten_by"}
"""What every new entry changes about a task of a board; no entry's page says it."""
ENOUGH = 3
"""Ranked entries that the season board needs before Home opens on it."""


@dataclass(frozen=True)
class Content:
    """Fills slots. Every method gives the values of one page's slots. `address`: the site's, with a slash at its end,
    or ""; `place`: where the folder of entries is public, if it is not copied beside the pages."""

    leaderboard: Leaderboard
    tasks: Mapping[str, TaskSpec]
    loaded: Mapping[str, Loaded]
    env: jinja2.Environment
    address: str = ""
    place: str = ""
    conduct: Mapping[BoardId, Conduct] = field(default_factory=dict)
    _tables: dict[Reading, Table] = field(default_factory=dict)
    _bases: dict[int, tuple[Row | None, str]] = field(default_factory=dict)
    _said: dict[int, tuple[Row, bytes]] = field(default_factory=dict)

    @property
    def published(self) -> Board | None:
        """The published results in the reading that has intervals; None when nothing has been imported."""
        board = self.leaderboard.board("published", "live")
        return board if board and any(row.kind == "entry" for row in board.rows) else None

    @property
    def compat(self) -> Board | None:
        """The published results as upstream's own script ranks them."""
        return self.leaderboard.board("published", "mlgym-compat") if self.published else None

    @property
    def season(self) -> Board | None:
        return self.leaderboard.board("season", "season")

    def _ranked(self) -> int:
        if self.season is None:
            return 0
        places = [row.standings.get(self.season.default_column) for row in self.season.rows]
        return sum(place is not None and place.rank is not None for place in places)

    @cached_property
    def opening(self) -> Board | None:
        """What Home opens on: the season board once enough entries are ranked, the published results until then."""
        return self.season if self._ranked() >= ENOUGH or self.published is None else self.published

    @property
    def headline(self) -> list[Board]:
        """The season board and the published results, as far as they are there, the one of Home first."""
        order = (self.published, self.season) if self.opening is self.published else (self.season, self.published)
        return [board for board in order if board is not None]

    @property
    def measured(self) -> list[Board]:
        """Those of them on which anybody has a score."""
        return [board for board in self.headline if placed(board)]

    def compare(self) -> dict[str, str]:
        """What Compare needs: a form, and links that say something without it."""
        dashes = [" ".join(map(str, DASHES[style])) for style in LEADERS]
        return {"compare": render(self.env, "compare.html", boards=self.measured, dashes=dashes, shown=ROWS)}

    def what_if(self) -> dict[str, str]:
        """What What if needs: the settings of each board, with its tasks, its levels and the prices of its models."""
        models = {board.id: priced(board) for board in self.measured}
        return {"what-if": render(self.env, "what-if.html", boards=self.measured, models=models, kinds=PRICE_KINDS)}

    def home(self) -> dict[str, str]:
        """Home: the opening board first, the season's after it as long as the published results open."""
        ranked, board = self._ranked(), self.opening
        if board is None:
            return {"home": Markup("<p>No entry and no published result is on the board yet.</p>")}
        context = {
            "board": board,
            "table": self.table(board),
            "second": self.table(self.season) if board is self.published and self.season else None,
            "facts": self._facts(board),
            "ranked": ranked,
            "previews": unpublished(self.leaderboard.previews, self.tasks),
            "charts": figures(board),
            "known": set(self.tasks),
            "digest": self.leaderboard.data_sha256[:12],
        }
        return {"home": render(self.env, "home.html", **context)}

    def table(self, board: Board) -> Table:
        """The rows of one board as they are shown; made once."""
        if board.reading not in self._tables:
            self._tables[board.reading] = table(board)
        return self._tables[board.reading]

    def tables(self) -> list[Table]:
        """Of every board that a page shows."""
        return [self.table(board) for board in (self.season, self.published, self.compat) if board is not None]

    def task_index(self) -> dict[str, str]:
        """The scores by task of the board that Home opens on."""
        context = {"board": self.opening, "known": set(self.tasks)}
        return {"by-task": render(self.env, "by_task.html", **context)}

    def _facts(self, board: Board) -> list[str]:
        entries = sum(row.kind == "entry" for row in board.rows)
        return [
            f"{entries} agent{'s' if entries != 1 else ''}",
            f"{len(board.tasks)} tasks",
            f"data of {self.leaderboard.data_date}",
            f"scoring {self.leaderboard.scoring_version}",
        ]

    def published_page(self) -> dict[str, str]:
        """Both readings, each in its own table, the audit notes, the scores."""
        board = self.published
        context = {
            "board": board,
            "table": self.table(board) if board else None,
            "compat": self.table(self.compat) if self.compat else None,
            "charts": figures(board) if board else [],
            "findings": audit_findings(board.rows) if board else [],
            "known": set(self.tasks),
            "again": again() if board else [],
        }
        return {"published": render(self.env, "published.html", **context)}

    def failures_page(self) -> dict[str, str]:
        """How episodes ended and what was done when, the board of Home first."""
        found = [failures(board, self.conduct[board.id]) for board in self.headline if board.id in self.conduct]
        context = {"boards": [one for one in found if one], "ends": ENDS, "actions": GROUPS, "known": set(self.tasks)}
        return {"failures": render(self.env, "failures.html", **context)}

    def ledger(self) -> dict[str, str]:
        """The newest lines of the ledger, the way to all of them, and what was rejected."""
        lines = self.leaderboard.ledger
        context = {
            "lines": lines[: -NEWEST - 1 : -1],
            "ranges": line_ranges(len(lines)),
            "rejections": self.leaderboard.rejections,
            "entries": self.named,
        }
        return {"ledger": render(self.env, "ledger.html", **context)}

    def ledger_pages(self) -> Iterator[dict[str, str]]:
        """Every line of the ledger, a page after the other."""
        lines = self.leaderboard.ledger
        for page, words in enumerate(line_ranges(len(lines))):
            context = {"lines": lines[page * LINES : (page + 1) * LINES], "entries": self.named}
            shown = render(self.env, "ledger_lines.html", **context)
            yield {"ledger-page": str(page), "ledger-range": words, "ledger-lines": shown}

    @cached_property
    def named(self) -> set[str | None]:
        """Who has a page."""
        return {page_name(shown.row) for shown in self.entries()} | {line.entry for line in self.removed()}

    def data(self) -> dict[str, str]:
        """The digest and the constants of every board."""
        return {"data": render(self.env, "data.html", leaderboard=self.leaderboard)}

    def task(self, task: str) -> dict[str, str]:
        """One task's scores on every board that has it, and its audit notes."""
        headline = [board for board in (self.season, self.published) if board is not None]
        ids = [[t.id for t in board.tasks] for board in headline]
        boards = [(board, names.index(task)) for board, names in zip(headline, ids, strict=True) if task in names]
        rows = {row.id: row for board, _ in boards for row in board.rows}
        unranked = [(board, left) for board in headline for left in board.unranked if left.id == task]
        drawn = {
            board.id: progress(board, place, self.conduct[board.id].told)
            for board, place in boards
            if board.id in self.conduct
        }
        findings = audit_findings(rows.values(), task)
        context = {"boards": boards, "unranked": unranked, "findings": findings, "drawn": drawn}
        return {"scores": render(self.env, "task.html", **context)}

    def entries(self) -> Iterator[Shown]:
        """Every row that gets a page, once: season board, published board, previews."""
        seen: set[str] = set()
        boards = [board for board in (self.season, self.published, self.compat) if board is not None]
        for board in (*boards, *self.leaderboard.previews):
            for row in board.rows:
                wanted = row.kind == "preview" if board.preview else row.kind == "entry"
                if wanted and page_name(row) not in seen:
                    seen.add(page_name(row))
                    yield Shown(board, row)

    def head(self, shown: Shown) -> dict[str, str]:
        """The slots of one entry's page that change with everybody's standing."""
        return head_slots(self.env, shown)

    def body(self, shown: Shown, texts: Texts, loaded: Loaded | None) -> dict[str, str]:
        """All the others: text, HTML but for the hosts."""
        flags, lines = self.about(shown)
        base = self.base(shown.board)
        return body_slots(self.env, shown, loaded, lines, set(self.tasks), flags, texts, self.evidence_place, base)

    def body_key(self, shown: Shown, bundle_sha256: str, makers: str) -> bytes:
        """A digest of everything that `body` depends on where no text lies beside the page."""
        lines = [one.model_dump_json() for one in self._lines(shown)]
        base = self._base(shown.board)[1]
        return key(makers, bundle_sha256, self.evidence_place, base, self.said(shown.row), self._flagged(shown), *lines)

    def said(self, row: Row) -> bytes:
        """A digest of the row but for where it stands."""
        if id(row) not in self._said:
            self._said[id(row)] = (row, said(row))  # the row too: its place in memory is the name of no other
        return self._said[id(row)][1]

    def _flagged(self, shown: Shown) -> str:
        """What is to be looked at twice, in words that differ when it does."""
        flags, own = self.leaderboard.flags, self._flag_places(shown)
        return flags.said(own) if isinstance(flags, Flags) else "".join(one.model_dump_json() for one in flags[own])

    def _flag_places(self, shown: Shown) -> slice:
        return self.flags.get(shown.row.id, slice(0)) if shown.row.kind == "entry" else slice(0)

    def _lines(self, shown: Shown) -> list[LedgerLine]:
        if shown.row.kind != "entry":
            return []
        return [*self.lines.get(shown.row.id, []), *self.revocations]

    @property
    def evidence_place(self) -> str:
        return self.place or (f"{self.address}submissions" if self.address else BESIDE)

    def about(self, shown: Shown) -> tuple[list[Flag], list[LedgerLine]]:
        return list(self.leaderboard.flags[self._flag_places(shown)]), self._lines(shown)

    def base(self, board: Board) -> Row | None:
        """The baseline's row."""
        return self._base(board)[0]

    def _base(self, board: Board) -> tuple[Row | None, str]:
        """The baseline's row, and a digest of what a page takes from its board."""
        if id(board) not in self._bases:
            row = next((one for one in board.rows if one.kind == BASELINE), None)
            told = [task.model_dump_json(exclude=MOVED) for task in board.tasks]
            told += [board.constants.model_dump_json(), " ".join(sorted(self.tasks))]
            digest = key(board.id, board.reading, board.default_column, self.said(row) if row else b"", *told).hex()
            self._bases[id(board)] = (row, digest)
        return self._bases[id(board)]

    def removed(self) -> Iterator[LedgerLine]:
        """The removals of entries that have no page any more."""
        pages = {shown.row.id for shown in self.entries()}
        for entry, lines in self.lines.items():
            last = [line for line in lines if line.kind in ("inclusion", "removal")]
            if entry not in pages and last and last[-1].kind == "removal":
                yield last[-1]

    @cached_property
    def revocations(self) -> list[LedgerLine]:
        """Lines about keys, whoever signed with them."""
        return [line for line in self.leaderboard.ledger if line.kind == "revocation"]

    @cached_property
    def lines(self) -> Mapping[str, list[LedgerLine]]:
        """The ledger by entry."""
        found: dict[str, list[LedgerLine]] = {}
        for line in self.leaderboard.ledger:
            if line.entry is not None:
                found.setdefault(line.entry, []).append(line)
        return found

    @cached_property
    def flags(self) -> Mapping[str, slice]:
        """By entry, where what to look at twice lies among the leaderboard's flags, which are in order of entries."""
        if isinstance(self.leaderboard.flags, Flags):
            return self.leaderboard.flags.entries()
        found, start = {}, 0
        for entry, own in groupby(self.leaderboard.flags, attrgetter("entry")):
            many = sum(1 for _ in own)
            found[entry] = slice(start, start + many)
            start += many
        return found
