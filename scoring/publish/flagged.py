"""A flag on its entry's page: the numbers of its sentence in a row, under a head that says once what they are.

Takes flags, gives text. The whole sentences are in the table of flags; one that this does not know stands as it is.
"""

from __future__ import annotations

import re

from scoring.leaderboard import Flag

HEADS = {
    "claim-differs": "seed: claimed, regraded; allowed difference",
    "far-from-validation": "seed: sealed, validation; allowed difference",
}
_SENTENCES = {
    "claim-differs": re.compile(r"claimed (\S+), regraded (\S+): \S+ apart, (\S+) allowed()"),
    "far-from-validation": re.compile(
        r"(\S+) on the sealed split, (\S+) on validation: \S+ apart, (\S+) is allowed( \(.*\))"
    ),
}
DIGITS = 4
_USUAL = " (4 combined standard errors)"


def flag_said(flag: Flag) -> str:
    """`2: 1.236, 1.241; 0.002`."""
    form = _SENTENCES.get(flag.flag)
    found = form.fullmatch(flag.words) if form else None
    if not found or found[1] == found[2]:
        return f"{'' if flag.flag in HEADS else 'seed '}{flag.seed}: {flag.words}"
    allowed, why = found[3], found[4]
    value, other = _short(found[1], found[2])
    return f"{flag.seed}: {value}, {other}" + (f"; {allowed}{why.replace(_USUAL, '')}" if allowed != "0" else "")


def _short(value: str, other: str) -> tuple[str, str]:
    """Both in the fewest digits, from DIGITS on, that tell them apart; the table of flags has six."""
    for digits in range(DIGITS, 6):
        one, two = (f"{float(number):.{digits}g}" for number in (value, other))
        if one != two:
            return one, two
    return value, other
