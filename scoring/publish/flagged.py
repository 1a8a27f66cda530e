"""A flag on its entry's page: the numbers of its sentence in a row, under a head that says once what they are.

Takes flags, gives text. The whole sentences are in the table of flags; one that this does not know stands as it is.
"""

from __future__ import annotations

import re

from scoring.leaderboard import Flag

HEADS = {
    "claim-differs": "seed: claimed, regraded; how far apart is allowed, where it is at all",
    "far-from-validation": "seed: on the sealed split, on validation; how far apart is allowed, 4 combined standard "
    "errors where nothing else is said",
}
_SENTENCES = {
    "claim-differs": re.compile(r"claimed (\S+), regraded (\S+): \S+ apart, (\S+) allowed()"),
    "far-from-validation": re.compile(
        r"(\S+) on the sealed split, (\S+) on validation: \S+ apart, (\S+) is allowed( \(.*\))"
    ),
}
_USUAL = " (4 combined standard errors)"


def flag_said(flag: Flag) -> str:
    """`2: 1.2362, 1.2414; 0.002`."""
    form = _SENTENCES.get(flag.flag)
    found = form.fullmatch(flag.words) if form else None
    if not found or found[1] == found[2]:
        return f"{'' if flag.flag in HEADS else 'seed '}{flag.seed}: {flag.words}"
    value, other, allowed, why = found.groups()
    return f"{flag.seed}: {value}, {other}" + (f"; {allowed}{why.replace(_USUAL, '')}" if allowed != "0" else "")
