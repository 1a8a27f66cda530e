"""Findings in words, computed from the tables: who leads and how surely, who is cheapest for it, what is hard.

Takes the listed rows and the tasks of one ranking, gives plain sentences. Never says more than the numbers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from scoring.listing import Listed
from scoring.vocabulary import Column, Reading

NEARLY = 0.1
"""An AUP that is lower than the leader's by at most this share is nearly as good."""
DOMAINS = {"rl": "reinforcement learning", "vision-language": "vision and language"}


def sentences(
    reading: Reading, rows: Sequence[Listed], tasks: pl.DataFrame, score: Column, notes: Sequence[str] = ()
) -> tuple[str, ...]:
    """A handful; none about what nobody has done yet. `tasks`: the table of that name; `notes`: the task of each
    published value that is known to be invalid."""
    standing = [row for row in rows if row.rank is not None]
    ranked = [row for row in standing if row.kind == "entry"]
    previews = [_preview(row, len(standing)) for row in standing if row.kind == "preview"]
    if not ranked:
        return (*previews, "No entry is ranked yet.")
    said = [
        *previews,
        _leader(ranked, score),
        _value(ranked),
        _effective(ranked),
        _hardest(tasks),
        _hardest_domain(tasks),
        _audit(notes),
    ]
    return tuple(sentence for sentence in said if sentence)


def headline(rows: Sequence[Listed], tasks: pl.DataFrame, score: Column) -> tuple[str, ...]:
    """What to know first: who leads, who is best under $1 an episode, what is hardest; less where less can be said."""
    ranked = [row for row in rows if row.rank is not None and row.kind == "entry"]
    if not ranked:
        return ("No entry is ranked yet.",)
    said = (_leader(ranked, score), _value(ranked), _hardest(tasks))
    return tuple(sentence for sentence in said if sentence)


def cheapest_with(rows: Sequence[Listed], at_least: float) -> Listed | None:
    """The cheapest ranked entry of known cost with an AUP of `at_least` or more; equal costs: the better AUP."""
    able = [
        (row.cost_usd, -row.aup, row.entry, row)
        for row in rows
        if row.kind == "entry" and row.rank and row.cost_usd is not None and row.aup is not None and row.aup >= at_least
    ]
    return min(able)[-1] if able else None


def cheapest(rows: Sequence[Listed], at_least: float) -> str:
    """The same in words."""
    row = cheapest_with(rows, at_least)
    if row is None:
        return f"No ranked entry with a known price has an AUP of at least {at_least:g}."
    return (
        f"The cheapest with an AUP of at least {at_least:g} is {row.label}: "
        f"AUP {row.aup:.3f} at ${row.cost_usd:.2f} an episode."
    )


def _preview(row: Listed, among: int) -> str:
    """Where an unpublished run would stand."""
    span = f" ({row.rank_low}-{row.rank_high})" if row.rank_low != row.rank_high else ""
    return f"{row.label} would stand at {row.rank}{span} of {among} with an AUP of {row.aup:.3f}; it is not ranked."


def _leader(ranked: Sequence[Listed], score: Column) -> str:
    first = ranked[0]
    what = "what it handed in" if score == "last" else "its best attempts"
    text = f"{first.label} leads with an AUP of {first.aup:.3f} for {what}"
    tied = [row.label for row in ranked[1:] if first.tie_group and row.tie_group == first.tie_group]
    if len(ranked) == 1:
        return f"{text}; it is the only ranked entry."
    if first.tie_group is None:
        return f"{text}; this reading gives no intervals."
    if not tied:
        return f"{text}, clear of all others."
    return f"{text}; {_list(tied) if len(tied) <= 3 else f'{len(tied)} others'} cannot be told apart from it."


def _value(ranked: Sequence[Listed]) -> str:
    priced = [row for row in ranked if row.cost_usd is not None]
    cheap = [row for row in priced if row.cost_usd is not None and row.cost_usd < 1.0]
    if not cheap:
        return "No ranked entry with a known price costs less than $1 an episode." if priced else ""
    best = max(cheap, key=lambda row: (row.aup, row.entry))
    return f"The best under $1 an episode is {best.label}: AUP {best.aup:.3f} at ${best.cost_usd:.2f}."


def _effective(ranked: Sequence[Listed]) -> str:
    """The cheapest of those nearly as good as the leader; nothing to say of a single entry or without prices."""
    first = ranked[0]
    if len(ranked) == 1 or first.aup is None or first.aup <= 0:
        return ""
    best = cheapest_with(ranked, (1 - NEARLY) * first.aup)
    if best is None:
        return ""
    if best.entry == first.entry:
        return (
            f"Nobody of known cost within {NEARLY:.0%} of the leader's AUP is cheaper: ${best.cost_usd:.2f} an episode."
        )
    leader = "" if first.cost_usd is None else f", where the leader costs ${first.cost_usd:.2f}"
    return (
        f"Most cost-effective within {NEARLY:.0%} of the leader's AUP is {best.label}: "
        f"AUP {best.aup:.3f} at ${best.cost_usd:.2f} an episode{leader}."
    )


def _hardest_domain(tasks: pl.DataFrame) -> str:
    """By the mean share of entries that beat the baseline; silent of one domain alone, or when all are equal."""
    counted = tasks.filter(pl.col("baseline").is_not_null() & (pl.col("entries") > 1))
    shares: dict[str, list[Fraction]] = {}
    for domain, beaten, entries in counted.select("domain", "beaten_by", "entries").sort("domain").iter_rows():
        shares.setdefault(domain, []).append(Fraction(beaten, entries))
    means = {domain: sum(found, Fraction()) / len(found) for domain, found in shares.items()}
    if len(set(means.values())) < 2:
        return ""
    lowest = min(means.values())
    names = [DOMAINS.get(domain, domain.replace("-", " ")) for domain, mean in means.items() if mean == lowest]
    said = f"{_list(names)} {'is the hardest domain' if len(names) == 1 else 'are the hardest domains'}"
    return f"{said[0].upper()}{said[1:]}: on average {float(lowest):.0%} of entries beat a baseline there."


def _hardest(tasks: pl.DataFrame) -> str:
    counted = tasks.filter(pl.col("baseline").is_not_null() & (pl.col("entries") > 1))
    if counted.is_empty():
        return ""
    beaten: list[int] = counted["beaten_by"].to_list()
    fewest, entries = min(beaten), counted["entries"][0]
    if all(count == entries for count in beaten):
        return "Every entry beats the baseline on every task."
    names = counted.filter(pl.col("beaten_by") == fewest)["title"].to_list()
    verb = "is" if len(names) == 1 else "are"
    return f"{_list(names)} {verb} hardest: {fewest} of {entries} entries beat the baseline."


def _audit(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    tasks = set(notes)
    where = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    return f"Published values known to be invalid: {len(notes)}, on {where}; they carry audit notes."


def _list(names: Sequence[str]) -> str:
    """Names in words; of many, the first few and how many more."""
    if len(names) == 1:
        return names[0]
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} others"
    return f"{', '.join(names[:-1])} and {names[-1]}"
