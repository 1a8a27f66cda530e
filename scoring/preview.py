"""Preview: an unpublished run beside either board, on comparable tasks only.

Takes the facts with a run that nobody has included, gives rankings marked as previews. Nothing here is published or
believed: the values are the run's own, and everybody is measured anew on the fewer tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb

from harness.errors import UsageError
from harness.schema.prices import load_prices
from scoring.boards import Ranking, rank
from scoring.compat import EPS
from scoring.ledger import LEVELS, Level
from scoring.plan import Plan
from scoring.tables import Source, choose, grid, not_ranked, people, stored_baselines
from scoring.yardstick import Season, Yardstick, published_yardstick, season_yardstick

COMPARABLE = ("house-price", "prisoners-dilemma", "battle-of-sexes", "colonel-blotto")
"""Measured alike here and upstream; three-sat and coco-captioning are not, the others do not exist here yet."""
CLAIMED = "The previewed run's values are claimed by the run itself; nobody has regraded them."
SMOKE = (
    "The run is in the smoke profile, on smaller data and fewer games: compare it for the way it works, not in value."
)
ABOVE_SIGNED = [level for level in LEVELS if level != "signed"]


def preview_rankings(
    db: duckdb.DuckDBPyConnection,
    entry_no: int,
    season: Season,
    only: Collection[str] | None = None,
    levels: Sequence[Level] = LEVELS,
) -> tuple[Ranking, ...]:
    """One ranking beside the season's entries, one beside the published ones; either only where tasks are shared.

    `only`: no other tasks; `levels`: beside whom. Raises UsageError on an import, and when no task of the run is on
    any board.
    """
    [(name, origin)] = db.execute("SELECT entry, origin FROM entries WHERE entry_no = ?", [entry_no]).fetchall()
    if origin != "run":
        raise UsageError(f"{name} is an import; only a run can be previewed")
    tasks = db.execute("SELECT DISTINCT task FROM episodes WHERE entry_no = ? ORDER BY task", [entry_no]).fetchall()
    run = [task for (task,) in tasks]
    claims = season_yardstick(season).only(run if only is None else set(run) & set(only))
    if not claims.rules:
        what = f"the tasks of {season.name}" if only is None else ", ".join(sorted(only))
        raise UsageError(f"{name} has none of {what}; it has {', '.join(run)}")
    beside = [level for level in levels if level in ABOVE_SIGNED]
    found = [_beside(db, entry_no, claims, claims, season, "season", beside)]
    shared = claims.only(COMPARABLE)
    if shared.rules:
        yard = published_yardstick(stored_baselines(db), EPS).only(shared.tasks)
        found.append(_beside(db, entry_no, shared, yard, season, "published", beside))
    return tuple(found)


def _beside(
    db: duckdb.DuckDBPyConnection,
    entry_no: int,
    claims: Yardstick,
    yard: Yardstick,
    season: Season,
    board: str,
    levels: Sequence[Level],
) -> Ranking:
    """`claims`: the metrics of the run's own values; `yard`: what the board measures in, on the same tasks."""
    [(name, profile)] = db.execute("SELECT entry, profile FROM entries WHERE entry_no = ?", [entry_no]).fetchall()
    of_season = board == "season"
    source: Source = "regraded" if of_season else "published"
    numbers, names = people(db, "run" if of_season else "import", levels)
    others = [(number, other) for number, other in zip(numbers, names, strict=True) if other != name]
    chosen, shown = [number for number, _ in others], [other for _, other in others]
    choose(db, chosen, yard)
    theirs, their_looks = grid(db, shown, yard, source)
    reasons, partial = not_ranked(db, dict(others)) if of_season else ({}, frozenset())
    choose(db, [entry_no], claims)
    own, own_looks = grid(db, [name], claims, "claimed")
    beside = "the board" if of_season else "published results"
    tasks = ", ".join(rule.title for rule in yard.rules)
    smoke = (SMOKE,) if profile == "smoke" else ()
    return rank(
        db,
        Plan(
            id="season" if of_season else "published",
            reading="season" if of_season else "live",
            title=f"Preview: {name} beside {beside}",
            yard=yard,
            chosen=[*chosen, entry_no],
            grid=theirs.beside(own),
            looks=their_looks.beside(own_looks),
            source="claimed",
            prices=load_prices(),
            prices_day=season.prices,
            season=season if of_season else None,
            not_ranked=reasons,
            partial=partial,
            preview=name,
            caveats=(f"Compared on {len(yard.rules)} tasks only: {tasks}.", CLAIMED, *smoke),
        ),
    )
