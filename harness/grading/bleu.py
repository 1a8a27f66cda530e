"""Corpus BLEU-4 (Papineni et al. 2002). Takes one caption and its references a row, gives value and standard error.

Words are lower-cased runs of letters and digits with an inner apostrophe; punctuation is dropped. Runs of one to
four words are clipped by the most that any one reference holds and summed over the corpus; the brevity penalty takes
the reference length closest to the caption's, the shorter of two; nothing is smoothed, so a corpus without one common
run of four words scores 0. Never weighs rows: a caption of few words counts by its words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ORDERS = 4
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
Floats = npt.NDArray[np.float64]


def words(text: str) -> list[str]:
    """Lower-cased words of a caption."""
    return WORD.findall(text.lower())


def runs(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """How often each run of `order` words occurs."""
    return Counter(tuple(tokens[k : k + order]) for k in range(len(tokens) - order + 1))


def row_counts(caption: str, references: Sequence[str]) -> Floats:
    """Matches of orders 1 to 4, runs of orders 1 to 4, the caption's length, the closest reference length."""
    tokens, accepted = words(caption), [words(text) for text in references]
    matches = []
    for order in range(1, ORDERS + 1):
        most: Counter[tuple[str, ...]] = Counter()
        for reference in accepted:
            most |= runs(reference, order)
        matches.append((runs(tokens, order) & most).total())
    totals = [max(len(tokens) - order + 1, 0) for order in range(1, ORDERS + 1)]
    closest = min((abs(len(reference) - len(tokens)), len(reference)) for reference in accepted)[1]
    return np.array([*matches, *totals, len(tokens), closest], dtype=np.float64)


def bleu_of(counts: Floats) -> Floats:
    """BLEU of summed counts (last axis: as row_counts gives them), any number of corpora at once."""
    matches, totals = counts[..., :ORDERS], counts[..., ORDERS : 2 * ORDERS]
    length, closest = counts[..., -2], counts[..., -1]
    penalty = np.minimum(0.0, 1 - closest / np.maximum(length, 1))
    with np.errstate(divide="ignore"):  # log(0): no common run of this order, and so no score
        precisions = np.log(matches / np.maximum(totals, 1))
    result: Floats = np.exp(precisions.mean(axis=-1) + penalty)
    return result
