"""Build: submissions -> rankings. The two boards, kept apart, and private previews beside them.

Takes the submissions folder, a season and prices, gives every ranking asked for. Published results: imports, in
upstream's metrics, values verbatim. The season board: runs, in our metrics, values from our own regrade alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb
import polars as pl

from harness.errors import UsageError
from harness.schema.prices import load_prices, price_bytes
from scoring.boards import Ranking, rank
from scoring.compat import EPS
from scoring.earlier import make_earlier
from scoring.facts.read import Facts, default_cache, read_facts
from scoring.flags import flags
from scoring.garbage import without_gc
from scoring.ledger import LEVELS, Level
from scoring.plan import Plan
from scoring.preview import preview_rankings
from scoring.tables import choose, give_back, grid, little_memory, not_ranked, people, shapes, stored_baselines
from scoring.threads import beside
from scoring.vocabulary import COLUMNS, Column, Reading
from scoring.yardstick import Season, Yardstick, load_season, published_yardstick, season_yardstick

if TYPE_CHECKING:
    from scoring.leaderboard import Board, Leaderboard

READINGS: tuple[Reading, ...] = ("season", "live", "mlgym-compat")
PUBLISHED_CAVEATS = (
    "Scores as published, in MLGym's metrics; nothing was regraded, and several values are known to be invalid.",
    "The last score of each run counts as handed in, as upstream counts it, also where the run ended without a valid "
    "artifact.",
    "MLGym's validate call scored the test set, so a best attempt was chosen with knowledge of the test score.",
    "A task whose runs store no baseline under the ranked metric (mountain-car here) has none, so all are feasible.",
    "Costs are recomputed from the runs' token counts at one dated price table; the runs' own sums used other prices.",
)
SEASON_CAVEATS = ("Every value is our own regrade of the artifact that the agent left; claimed values are not used.",)
_PUBLISHED_TITLES: dict[Reading, str] = {
    "live": "Published results, exact AUP over this cohort",
    "mlgym-compat": "Published results, as MLGym computes them",
}


@dataclass(frozen=True)
class Only:
    """What a reader restricts a ranking to: some tasks, entries of at least a level, one kind of score."""

    tasks: frozenset[str] | None = None
    level: Level | None = None
    scores: tuple[Column, ...] = COLUMNS

    def yard(self, yard: Yardstick) -> Yardstick:
        """Raises UsageError on a task that the board does not have."""
        if self.tasks is None:
            return yard
        if unknown := self.tasks - set(yard.tasks):
            known = ", ".join(yard.tasks)
            raise UsageError(f"this board has no task {', '.join(sorted(unknown))}; it has {known}")
        return yard.only(self.tasks)

    def levels(self) -> list[Level]:
        return list(LEVELS if self.level is None else LEVELS[LEVELS.index(self.level) :])

    def caveats(self) -> tuple[str, ...]:
        said = []
        if self.tasks is not None:
            said.append(f"Ranked on {', '.join(sorted(self.tasks))} only: this is not the board's own ranking.")
        if self.level is not None:
            said.append(f"Entries of level {self.level} or above only: ranks are among these.")
        return tuple(said)


@dataclass(frozen=True)
class Built:
    """Everything that one state of submissions/ says. Its database reads files until this is closed (`with`)."""

    facts: Facts
    season: Season
    rankings: tuple[Ranking, ...]
    previews: tuple[Ranking, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.facts.close()

    def let_go(self) -> None:
        """Of rankings and flags, from which the tables are made: a build of the site goes on without them."""
        vars(self).update(rankings=(), previews=())
        vars(self).pop("flags", None)
        give_back(self.facts.db)

    @property
    def data_sha256(self) -> str:
        """Over every bundle, verdict, the ledger, the season and the prices that were read."""
        parts = f"{self.facts.sha256}\n".encode() + self.season.canonical() + price_bytes()
        return hashlib.sha256(parts).hexdigest()

    @cached_property
    def flags(self) -> pl.DataFrame:
        """The table of that name: what a reader should look at twice, against the season's rules."""
        db, shape = self.facts.db, shapes()["flags"]
        with little_memory(db):
            found = flags(db, self.season.tasks)
        names = db.execute("SELECT entry_no, entry FROM entries WHERE NOT preview").fetchall()
        named = pl.DataFrame(names, schema={"entry_no": pl.Int32, "entry": pl.String}, orient="row")
        return shape.fit(found.join(named, on="entry_no")).sort(shape.order)

    @property
    def data_date(self) -> str:
        """The newest day that anything here is of."""
        [(day,)] = self.facts.db.execute("SELECT max(date) FROM entries WHERE NOT preview").fetchall()
        days = [day, *(line.time[:10] for line in self.facts.ledger)]
        return max(filter(None, days), default=self.season.frozen)


def build(
    submissions: Path,
    *,
    season: Season | None = None,
    readings: Sequence[Reading] = READINGS,
    previews: Sequence[Path] = (),
    only: Only | None = None,
    sparing: bool = False,
) -> Built:
    """Read the folder and compute the readings asked for. Raises VerificationError when the ledger's chain is broken.

    `previews`: unpublished bundle folders, placed beside either board. Raises UsageError when one cannot be placed.
    `sparing`: in little memory rather than soon.
    """
    facts = read_facts(submissions, unpublished=previews, cache=default_cache())
    constants, only, db = season or load_season(), only or Only(), facts.db
    with little_memory(db) if sparing else nullcontext():
        make_earlier(db, submissions, facts.ledger)
        rankings = [_season(db, constants, only, sparing)] if "season" in readings else []
        rankings += _published(db, constants, [one for one in readings if one != "season"], only, sparing)
        unpublished = db.execute("SELECT entry_no FROM entries WHERE preview ORDER BY entry_no").fetchall()
        placed = [
            ranking
            for (entry,) in unpublished
            for ranking in preview_rankings(db, entry, constants, only.tasks, only.levels())
        ]
    return Built(facts, constants, tuple(rankings), tuple(placed))


def leaderboard(built: Built) -> Leaderboard:
    """The records that the site is made of."""
    from scoring.leaderboard import Leaderboard, Rejection
    from scoring.records import Flags

    with without_gc(), little_memory(built.facts.db):
        found = Flags(built.flags)  # it takes most memory while it is made: before there are records
        return Leaderboard(
            data_sha256=built.data_sha256,
            data_date=built.data_date,
            boards=tuple(_record(built.facts.db, ranking) for ranking in built.rankings),
            previews=tuple(_record(built.facts.db, ranking) for ranking in built.previews),
            rejections=tuple(Rejection(folder=name, reasons=reasons) for name, reasons in built.facts.rejections),
            ledger=built.facts.ledger,
            flags=found,
        )


def _record(db: duckdb.DuckDBPyConnection, ranking: Ranking) -> Board:
    """Its tables are let go: only an export of a changed board needs them once more, long after."""
    from scoring.records import board_record

    board = board_record(db, ranking)
    ranking.tables.let_go()
    return board


def build_leaderboard(submissions: Path, season: Season | None = None, previews: Sequence[Path] = ()) -> Leaderboard:
    """Folder -> records, every reading."""
    with build(submissions, season=season, previews=previews) as built:
        return leaderboard(built)


def _season(db: duckdb.DuckDBPyConnection, season: Season, only: Only, sparing: bool) -> Ranking:
    """The runs, in our metrics, under the season's frozen constants."""
    yard = only.yard(season_yardstick(season))
    chosen, names = people(db, "run", only.levels())
    choose(db, chosen, yard)
    with beside(sparing) as thread:
        barred = thread.submit(not_ranked, db.cursor(), dict(zip(chosen, names, strict=True)))
        values, looks = grid(db, names, yard, "regraded")
    reasons, partial = barred.result()
    return rank(
        db,
        Plan(
            "season",
            "season",
            f"The board, {season.name}",
            yard,
            chosen,
            values,
            looks,
            "regraded",
            load_prices(),
            season.prices,
            season=season,
            not_ranked=reasons,
            partial=partial,
            caveats=(*only.caveats(), *season.notes, *SEASON_CAVEATS),
            scores=only.scores,
        ),
        sparing=sparing,
    )


def _published(
    db: duckdb.DuckDBPyConnection, season: Season, readings: Sequence[Reading], only: Only, sparing: bool
) -> list[Ranking]:
    """The imports, under the readings live and mlgym-compat."""
    if not readings:
        return []
    yard = only.yard(published_yardstick(stored_baselines(db), EPS))
    chosen, names = people(db, "import", only.levels())
    choose(db, chosen, yard)
    values, looks = grid(db, names, yard, "published")
    plans = [
        Plan(
            "published",
            reading,
            _PUBLISHED_TITLES[reading],
            yard,
            chosen,
            values,
            looks,
            "published",
            load_prices(),
            season.prices,
            caveats=(*only.caveats(), *PUBLISHED_CAVEATS),
            scores=only.scores,
        )
        for reading in readings
    ]
    return [rank(db, plan, sparing=sparing) for plan in plans]
