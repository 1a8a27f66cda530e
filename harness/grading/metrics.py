"""The metrics of predictions graders, by name. Takes truth and prediction in the same order, gives value and error.

Every standard error is the jackknife over rows (Efron and Stein 1981) in closed form: leaving one row out changes the
sums behind a metric by known terms, so nothing is resampled and nothing is random. It says how far another test set of
this size could move the value; it does not cover the variance of training. Never reads files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.errors import GradingError
from harness.grading.bleu import bleu_of, row_counts

Floats = npt.NDArray[np.float64]


class Measured(NamedTuple):
    """A metric's value, and its standard error where the rows determine one."""

    value: float
    stderr: float | None


def r2(truth: Floats, prediction: Floats) -> Measured:
    """Coefficient of determination, 1 - SSE/SST, SST about the mean of these rows. Needs two distinct truths."""
    n = len(truth)
    squared, spread = (truth - prediction) ** 2, (truth - truth.mean()) ** 2
    total = spread.sum()
    if n < 2 or total == 0:
        raise GradingError("r2 needs labels with at least two different values; these are constant")
    value = float(1 - squared.sum() / total)
    left_total = total - spread * (n / (n - 1))
    if n < 3 or left_total.min() <= total * 1e-12:
        return Measured(value, None)
    return Measured(value, _jackknife(1 - (squared.sum() - squared) / left_total))


def rmse(truth: Floats, prediction: Floats) -> Measured:
    """Root of the mean squared error, in the target's unit."""
    n = len(truth)
    squared = (truth - prediction) ** 2
    value = float(np.sqrt(squared.mean()))
    if n < 2:
        return Measured(value, None)
    left = np.clip(squared.sum() - squared, 0, None) / (n - 1)
    return Measured(value, _jackknife(np.sqrt(left)))


def accuracy(truth: npt.NDArray[Any], prediction: npt.NDArray[Any]) -> Measured:
    """Share of equal rows. The jackknife of a mean is the sample's standard deviation over the root of n."""
    hits = (truth == prediction).astype(np.float64)
    value = float(hits.mean())
    return Measured(value, float(np.sqrt(value * (1 - value) / (len(hits) - 1))) if len(hits) > 1 else None)


def bleu4(truth: npt.NDArray[Any], prediction: npt.NDArray[Any]) -> Measured:
    """Corpus BLEU-4; a truth is its references, one a line."""
    rows = zip(prediction.tolist(), truth.tolist(), strict=True)
    counts = np.array([row_counts(caption, references.split("\n")) for caption, references in rows])
    total = counts.sum(axis=0)
    return Measured(float(bleu_of(total)), _jackknife(bleu_of(total - counts)) if len(counts) > 1 else None)


def _jackknife(left_out: Floats) -> float:
    """Standard error from the n leave-one-out values."""
    n = len(left_out)
    return float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))


METRICS: dict[str, Callable[[npt.NDArray[Any], npt.NDArray[Any]], Measured]] = {
    "accuracy": accuracy,
    "bleu4": bleu4,
    "r2": r2,
    "rmse": rmse,
}
