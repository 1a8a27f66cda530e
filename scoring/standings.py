"""Where each row stands in one column: ranks among the ranked rows, their intervals, tie groups, domains.

Takes the measured arrays and which rows are ranked, gives Standing records. The baseline is never ranked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.schema.task import Domain
from scoring.leaderboard import Interval, Standing
from scoring.measure import Measured
from scoring.profiles import Floats
from scoring.ranks import leave_one_out, rank_intervals, ranks, tie_groups
from scoring.stats import interval
from scoring.yardstick import Yardstick


def standings(measured: Measured, yard: Yardstick, ranked: NDArray[np.bool_]) -> list[Standing]:
    """One Standing a row (entries, then the baseline); `ranked` of shape (entries,)."""
    places = _places(measured, np.flatnonzero(ranked))
    spans = _spans(measured.draws), _spans(measured.mean_draws)
    return [
        Standing.model_validate(
            {
                "rank": None,
                "rank_low": None,
                "rank_high": None,
                "tie_group": None,
                "leave_one_out": None,
                "aup": float(measured.aup[row]),
                "aup_interval": spans[0][row] if spans[0] else None,
                "mean_aup": float(measured.mean_aup[row]),
                "mean_interval": spans[1][row] if spans[1] else None,
                "borda": float(measured.borda[row]),
                "by_domain": _domains(measured.parts[row], yard),
            }
            | places.get(row, {})
        )
        for row in range(measured.aup.size)
    ]


def _places(measured: Measured, rows: NDArray[np.intp]) -> dict[int, dict[str, Any]]:
    if rows.size == 0:
        return {}
    rank = ranks(measured.aup[rows])
    out_low, out_high = leave_one_out(measured.parts[rows])
    places: dict[int, dict[str, Any]] = {
        int(row): {"rank": int(rank[i]), "leave_one_out": (int(out_low[i]), int(out_high[i]))}
        for i, row in enumerate(rows)
    }
    if measured.draws is not None:
        low, high = rank_intervals(measured.draws[:, rows])
        group = tie_groups(measured.aup[rows], measured.draws[:, rows])
        for i, row in enumerate(rows):
            ends = {"rank_low": min(int(low[i]), int(rank[i])), "rank_high": max(int(high[i]), int(rank[i]))}
            places[int(row)] |= ends | {"tie_group": int(group[i])}
    return places


def _spans(draws: Floats | None) -> list[Interval] | None:
    if draws is None:
        return None
    return [Interval(low=float(low), high=float(high)) for low, high in zip(*interval(draws), strict=True)]


def _domains(parts: Floats, yard: Yardstick) -> dict[Domain, float]:
    """AUP over the tasks of one domain alone."""
    shares: dict[Domain, list[float]] = {}
    for rule, part in zip(yard.rules, parts * len(yard.rules), strict=True):
        shares.setdefault(rule.domain, []).append(float(part))
    return {domain: sum(parts) / len(parts) for domain, parts in sorted(shares.items())}
