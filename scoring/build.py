"""Build: submissions -> Leaderboard. The two boards, kept apart, and private previews beside them.

Takes the submissions folder, a season and prices, gives one Leaderboard. Published results: imports, in upstream's
metrics, values verbatim. The season board: runs, in our metrics, values from our own regrade and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness.schema.prices import load_prices, price_bytes
from scoring.boards import Plan, build_board
from scoring.compat import EPS
from scoring.copies import copies
from scoring.leaderboard import Board, Leaderboard, Reading, Rejection
from scoring.ledger import LEVELS
from scoring.load import Loaded, Submissions, load_submissions
from scoring.preview import preview_boards
from scoring.tables import SEEDS, build_tables, grid, task_scores
from scoring.yardstick import Season, load_season, published_yardstick, season_yardstick

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


def build_leaderboard(submissions: Path, season: str | None = None, previews: Sequence[Loaded] = ()) -> Leaderboard:
    """Everything, from the folder. Raises VerificationError when the ledger's chain is broken."""
    loaded = load_submissions(submissions)
    constants = load_season(season)
    boards = (season_board(loaded, constants), *published_boards(loaded, constants))
    return Leaderboard(
        data_sha256=_digest(loaded, constants),
        data_date=_date(loaded, constants),
        boards=boards,
        previews=tuple(board for one in previews for board in preview_boards(one, loaded, constants)),
        rejections=tuple(Rejection(folder=name, reasons=reasons) for name, reasons in loaded.rejections),
        ledger=loaded.ledger,
    )


def published_boards(loaded: Submissions, season: Season) -> tuple[Board, ...]:
    """The imports, under the readings live and mlgym-compat."""
    entries = [one for one in loaded.entries if one.bundle.origin == "import"]
    yard = published_yardstick([one.bundle for one in entries], EPS)
    scores = task_scores(build_tables(entries).attempts, "published", yard.frame())
    values = grid(scores, [one.bundle.entry.id for one in entries], yard.tasks)
    return tuple(
        build_board(
            Plan(
                "published",
                reading,
                title,
                yard,
                entries,
                values,
                load_prices(),
                season.prices,
                caveats=PUBLISHED_CAVEATS,
            )
        )
        for reading, title in _PUBLISHED_TITLES.items()
    )


def season_board(loaded: Submissions, season: Season) -> Board:
    """The runs, in our metrics, under the season's frozen constants."""
    entries = [one for one in loaded.entries if one.bundle.origin == "run"]
    yard = season_yardstick(season)
    scores = task_scores(build_tables(entries).attempts, "regraded", yard.frame())
    return build_board(
        Plan(
            "season",
            "season",
            f"The board, {season.name}",
            yard,
            entries,
            grid(scores, [one.bundle.entry.id for one in entries], yard.tasks),
            load_prices(),
            season.prices,
            season=season,
            not_ranked={one.bundle.entry.id: why for one in entries if (why := not_ranked_because(one, season))}
            | copies(loaded, season),
            caveats=(*season.notes, *SEASON_CAVEATS),
        )
    )


def not_ranked_because(one: Loaded, season: Season) -> str | None:
    """Why an entry is shown without a rank, or None when it is ranked."""
    if one.bundle.profile != "official":
        return f"ran in the {one.bundle.profile} profile; only the official one is ranked"
    wanted = {(rule.id, seed) for rule in season.tasks if rule.rankable for seed in range(SEEDS)}
    missing = wanted - {(episode.task, episode.seed) for episode in one.bundle.episodes}
    if missing:
        return f"lacks {len(missing)} of the season's {len(wanted)} episodes"
    if LEVELS.index(one.level) < LEVELS.index("regraded"):
        return f"is {one.level}; ranking needs regraded"
    return None if one.reviewed else _held(one, season)


def _held(one: Loaded, season: Season) -> str | None:
    """Which value is too good for a task whose labels are public, until a review in the ledger lets it pass."""
    rules = {rule.id: rule for rule in season.tasks if rule.public_labels and rule.reference is not None}
    for found in one.verdicts:
        rule = rules.get(found.task)
        value = found.verdict.metrics.get(rule.metric) if rule else None
        if rule and value is not None and rule.reference is not None:
            gain = value - rule.reference if rule.direction == "max" else rule.reference - value
            if gain > 0:
                known = f"the best honest value known, {rule.reference:.4g}"
                return f"{rule.id}: {value:.4g} is beyond {known}; held for review"
    return None


def _digest(loaded: Submissions, season: Season) -> str:
    return hashlib.sha256(f"{loaded.sha256}\n".encode() + season.canonical() + price_bytes()).hexdigest()


def _date(loaded: Submissions, season: Season) -> str:
    days = [one.bundle.entry.date for one in loaded.entries] + [line.time[:10] for line in loaded.ledger]
    return max(days, default=season.frozen)
