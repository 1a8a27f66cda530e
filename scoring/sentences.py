"""Findings in words, computed from the rows: who leads and how surely, who is cheapest for it, what is hard.

Takes rows and tasks of one board, gives plain sentences. Never says more than the numbers do.
"""

from __future__ import annotations

from collections.abc import Sequence

from scoring.leaderboard import BoardTask, Column, Reading, Row

COLUMN: Column = "last"


def sentences(reading: Reading, rows: Sequence[Row], tasks: Sequence[BoardTask]) -> tuple[str, ...]:
    """At most four; none about what nobody has done yet."""
    standing = sorted(
        (row for row in rows if row.standings and row.standings[COLUMN].rank is not None),
        key=lambda row: (row.standings[COLUMN].rank or 0, row.id),
    )
    ranked = [row for row in standing if row.kind == "entry"]
    previews = [_preview(row, len(standing)) for row in standing if row.kind == "preview"]
    if not ranked:
        return (*previews, "No entry is ranked yet.")
    said = [*previews, _leader(ranked), _value(ranked), _hardest(tasks), _audit(rows)]
    return tuple(sentence for sentence in said if sentence)


def _preview(row: Row, among: int) -> str:
    """Where an unpublished run would stand."""
    place = row.standings[COLUMN]
    span = f" ({place.rank_low}-{place.rank_high})" if place.rank_low != place.rank_high else ""
    return f"{row.label} would stand at {place.rank}{span} of {among} with an AUP of {place.aup:.3f}; it is not ranked."


def _leader(ranked: Sequence[Row]) -> str:
    first = ranked[0]
    place = first.standings[COLUMN]
    text = f"{first.label} leads with an AUP of {place.aup:.3f} for what it handed in"
    tied = [row.label for row in ranked[1:] if place.tie_group and row.standings[COLUMN].tie_group == place.tie_group]
    if len(ranked) == 1:
        return f"{text}; it is the only ranked entry."
    if place.tie_group is None:
        return f"{text}; this reading gives no intervals."
    return f"{text}; {_list(tied)} cannot be told apart from it." if tied else f"{text}, clear of all others."


def _value(ranked: Sequence[Row]) -> str:
    priced = [(row.cost.usd_per_episode, row) for row in ranked if row.cost.usd_per_episode]
    cheap = [row for usd, row in priced if usd < 1.0]
    if not cheap:
        return "No ranked entry with a known price costs less than $1 an episode." if priced else ""
    best = max(cheap, key=lambda row: (row.standings[COLUMN].aup, row.id))
    return (
        f"The best under $1 an episode is {best.label}: AUP {best.standings[COLUMN].aup:.3f} "
        f"at ${best.cost.usd_per_episode:.2f}."
    )


def _hardest(tasks: Sequence[BoardTask]) -> str:
    counted = [task for task in tasks if task.baseline is not None and task.entries > 1]
    if not counted:
        return ""
    fewest = min(task.beaten_by for task in counted)
    if all(task.beaten_by == task.entries for task in counted):
        return "Every entry beats the baseline on every task."
    names = [task.title for task in counted if task.beaten_by == fewest]
    verb = "is" if len(names) == 1 else "are"
    return f"{_list(names)} {verb} hardest: {fewest} of {counted[0].entries} entries beat the baseline."


def _audit(rows: Sequence[Row]) -> str:
    notes = [note for row in rows for cell in row.cells for note in cell.notes]
    if not notes:
        return ""
    tasks = {note.task for note in notes}
    where = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    return f"Published values known to be invalid: {len(notes)}, on {where}; they carry audit notes."


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
