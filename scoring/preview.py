"""Preview: an unpublished run beside either board, on comparable tasks only.

Takes a run's bundle with the values that it claims itself, gives boards marked as previews. Nothing here is ranked,
published or believed: the values are the run's own, and everybody is measured anew on the fewer tasks.
"""

from __future__ import annotations

import numpy as np

from harness.errors import UsageError
from harness.schema.prices import load_prices
from scoring.boards import Plan, build_board
from scoring.compat import EPS
from scoring.leaderboard import Board
from scoring.load import Loaded, Submissions
from scoring.tables import Grid, Source, build_tables, grid, task_scores
from scoring.yardstick import Season, Yardstick, published_yardstick, season_yardstick

COMPARABLE = ("house-price", "prisoners-dilemma", "battle-of-sexes", "colonel-blotto")
"""Measured alike here and upstream; three-sat and coco-captioning are not, the others do not exist here yet."""
CLAIMED = "The previewed run's values are claimed by the run itself; nobody has regraded them."
SMOKE = (
    "The run is in the smoke profile, on smaller data and fewer games: compare it for the way it works, not in value."
)


def preview_boards(one: Loaded, loaded: Submissions, season: Season) -> tuple[Board, ...]:
    """One board beside the season's entries, one beside the published ones; either only where tasks are shared.

    Raises UsageError on an import, and when no task of the run is on any board.
    """
    if one.bundle.origin != "run":
        raise UsageError(f"{one.bundle.entry.id} is an import; only a run can be previewed")
    run = {episode.task for episode in one.bundle.episodes}
    claims = season_yardstick(season).only(run)
    if not claims.rules:
        raise UsageError(f"{one.bundle.entry.id} has none of the tasks of {season.name}: {', '.join(sorted(run))}")
    boards = [_beside_season(one, loaded, season, claims)]
    shared = claims.only(COMPARABLE)
    if shared.rules:
        boards.append(_beside_published(one, loaded, season, shared))
    return tuple(boards)


def _beside_season(one: Loaded, loaded: Submissions, season: Season, claims: Yardstick) -> Board:
    others = _others(one, loaded, "run")
    return _board(one, others, claims, claims, season, season)


def _beside_published(one: Loaded, loaded: Submissions, season: Season, claims: Yardstick) -> Board:
    others = _others(one, loaded, "import")
    yard = published_yardstick([other.bundle for other in others], EPS).only(claims.tasks)
    return _board(one, others, claims, yard, season, None)


def _others(one: Loaded, loaded: Submissions, origin: str) -> list[Loaded]:
    """Whom it is placed beside: everyone whose values that board shows, but not an older self."""
    return [
        other
        for other in loaded.entries
        if other.bundle.origin == origin and other.level != "signed" and other.bundle.entry.id != one.bundle.entry.id
    ]


def _board(
    one: Loaded, others: list[Loaded], claims: Yardstick, yard: Yardstick, prices: Season, season: Season | None
) -> Board:
    """`claims`: the metrics of the run's own values; `yard`: what the board measures in, on the same tasks."""
    names = [other.bundle.entry.id for other in others]
    source: Source = "regraded" if season else "published"
    theirs = grid(task_scores(build_tables(others).attempts, source, yard.frame()), names, yard.tasks)
    own = grid(task_scores(build_tables([one]).attempts, "claimed", claims.frame()), [one.bundle.entry.id], yard.tasks)
    beside = "the board" if season else "published results"
    tasks = ", ".join(rule.title for rule in yard.rules)
    smoke = (SMOKE,) if one.bundle.profile == "smoke" else ()
    return build_board(
        Plan(
            id="season" if season else "published",
            reading="season" if season else "live",
            title=f"Preview: {one.bundle.entry.id} beside {beside}",
            yard=yard,
            entries=[*others, one],
            grid=Grid(
                (*names, one.bundle.entry.id),
                np.concatenate([theirs.best, own.best]),
                np.concatenate([theirs.last, own.last]),
            ),
            prices=load_prices(),
            prices_day=prices.prices,
            season=season,
            preview=one.bundle.entry.id,
            caveats=(f"Compared on {len(yard.rules)} tasks only: {tasks}.", CLAIMED, *smoke),
        )
    )
