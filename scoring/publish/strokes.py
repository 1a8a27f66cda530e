"""Sizes of a chart and the dashes of its lines, for whoever places a drawing or writes its key.

Without Altair: a build whose drawings are kept never loads it, which saves 26 MB.
"""

from __future__ import annotations

from scoring.publish.series import BASELINE, HIGHLIGHTED, REST

WIDE, NARROW, HEIGHT = 600, 332, 190
LEADERS = tuple(f"c{place}" for place in range(1, HIGHLIGHTED + 1))
DASHES: dict[str, list[int]] = {
    "c1": [],
    "c2": [7, 2],
    "c3": [2, 2],
    "c4": [9, 2, 2, 2],
    "c5": [5, 3],
    BASELINE: [3, 4],
    REST: [],
}
