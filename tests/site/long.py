"""A Leaderboard of many invented entries, more than a browser holds at once. Figures follow from an entry's number."""

from __future__ import annotations

from harness.schema.episode import ExitStatus
from scoring.leaderboard import Cost, Leaderboard, Row
from scoring.ledger import Level
from tests.site.fixture import board, row, standing

ENTRIES = 340
LEADING = 150  # rows of its first file
PARTIAL = 7  # every so many-th entry is not ranked
LEVELS: tuple[Level, ...] = ("reported", "signed", "regraded")
FAILURES: tuple[ExitStatus | None, ...] = ("evaluation_error", "max_steps", None)


def long_leaderboard() -> Leaderboard:
    """One board, by rank; every seventh entry has no rank and no AUP, every fifth no known cost."""
    numbers = range(ENTRIES)
    ranked = [number for number in numbers if number % PARTIAL]
    rows = [_row(number, place + 1) for place, number in enumerate(ranked)]
    rows += [_row(number, None) for number in numbers if number % PARTIAL == 0]
    shown = board((*rows, row(4, "Baseline", "baseline")))
    return Leaderboard(data_sha256="1" * 64, data_date="2026-11-01", boards=(shown,))


def _row(number: int, rank: int | None) -> Row:
    one = row(number % 3, f"model-{number:03}")
    assert one.entry is not None
    name = f"many-{number:03}"
    entry = one.entry.model_copy(
        update={
            "id": name,
            "agent": ("aide", "own-loop")[number % 2],
            "organization": f"Laboratory {number // 10}",
            "open_weights": (True, False, None)[number % 3],
            "date": f"2026-10-{1 + number % 28:02}",
        }
    )
    failure = FAILURES[number % 3]
    aup = 1.1 - 0.002 * (rank or 0)
    return one.model_copy(
        update={
            "id": name,
            "label": f"=model-{number:03}" if number == 1 else f"model-{number:03}",
            "entry": entry,
            "level": LEVELS[number % 3],
            "standings": {"last": standing(rank, aup), "best": standing(rank, aup + 0.01)} if rank else {},
            "cost": Cost(
                usd_per_episode=None if number % 5 == 0 else 0.017 * (number + 1), source="recomputed", words="fixture"
            ),
            "valid_episodes": number % 53,
            "dominant_failure": failure,
            "exits": {failure: 1 + number % 9} if failure else {},
            "steps": 100 + 7 * number,
            "input_tokens": 1_000_000 + 54_321 * number,
            "not_ranked_because": None if rank else "partial: ran 2 of 13 tasks",
            "partial": rank is None,
        }
    )
