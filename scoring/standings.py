"""Where each row stands in one column: ranks among the ranked rows, their intervals, tie groups, domains.

Takes arrays of all rows and which of them are ranked, gives arrays of all rows with 0 for "not ranked".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.schema.vocabulary import Domain
from scoring.profiles import Bools, Floats
from scoring.ranks import Ints, leave_one_out, rank_intervals, ranks, tie_groups


@dataclass(frozen=True)
class Places:
    """Arrays of shape (rows,); 0: not ranked, or this reading has no intervals."""

    rank: Ints
    rank_low: Ints
    rank_high: Ints
    tie_group: Ints
    out_low: Ints
    out_high: Ints


def places(names: Sequence[str], ranked: Bools, aup: Floats, parts: Floats, draws: Floats | None) -> Places:
    """`names` and `ranked` are of the entries, the first of the rows; `parts` (rows, tasks), `draws` (rows,
    draws), which are used up.

    A rank's interval always contains the rank itself, although a resampled best never gains. Entries of equal rank
    walk into their tie groups by name, so that the order of the rows decides nothing.
    """
    rows = np.array(sorted(np.flatnonzero(ranked).tolist(), key=names.__getitem__), dtype=np.intp)
    rank, out = ranks(aup[rows]), leave_one_out(parts[rows])
    low = high = group = np.zeros(rows.size, dtype=np.int64)
    if draws is not None and rows.size:
        group = tie_groups(rank, draws, rows)
        low, high = rank_intervals(draws, rows)
        low, high = np.minimum(low, rank), np.maximum(high, rank)
    found = (rank, low, high, group, *out)
    return Places(*(_spread(values, rows, aup.size) for values in found))


def _spread(values: Ints, rows: Ints, size: int) -> Ints:
    everywhere = np.zeros(size, dtype=np.int64)
    everywhere[rows] = values
    return everywhere


def by_domain(log_ratios: Floats, tau_max: float, domains: Sequence[Domain]) -> dict[Domain, Floats]:
    """AUP over the tasks of one domain alone, shape (rows,); `domains` names each task's."""
    areas = np.maximum(0.0, tau_max - log_ratios)
    sums: dict[Domain, Floats] = {}
    for task, domain in enumerate(domains):
        sums[domain] = sums.get(domain, np.zeros(areas.shape[0])) + areas[:, task]
    return {domain: area / domains.count(domain) for domain, area in sorted(sums.items())}
