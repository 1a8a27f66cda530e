"""The predictions grader. Takes a CSV of one prediction a row, gives metrics of the split's rows.

The artifact is data: rows are joined with grader/labels.csv on an opaque id and measured by trusted code. No agent code
runs. The whole file must be right (every id of both splits, once) before any row of it counts. Never raises for what
the agent did: that is an invalid Verdict with its reason.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from harness.errors import GradingError, InvalidArtifact
from harness.grading.base import GradeJob
from harness.grading.metrics import METRICS
from harness.grading.table import read_table, shown
from harness.schema.episode import Verdict
from harness.schema.task import ArtifactFile, TaskSpec

LABELS = "labels.csv"
SPLITS = {"validation", "sealed"}
SHOWN_IDS = 5
MAX_TEXT = 1000
TYPES = {"float": pl.Float64, "int": pl.Int64, "str": pl.String, "texts": pl.String}
WANTED = {
    "float": "a finite number",
    "int": "a whole number",
    "str": "text",
    "texts": f"printable text of at most {MAX_TEXT:,} characters",
}


def grade_predictions(job: GradeJob) -> Verdict:
    """Grade one split. Raises GradingError when our labels or the task's declaration are at fault."""
    started = time.monotonic()
    labels = _labels(job)
    values: dict[str, float] = {}
    errors: dict[str, float] = {}
    n, reason = None, None
    try:
        joined = _joined(labels, _predictions(job), job)
        values, errors = _measure(job.task, joined)
        n = joined.height
    except InvalidArtifact as error:
        reason = str(error)[:2000]
    return Verdict(
        split=job.split,
        metrics=values,
        stderr=errors,
        n=n,
        invalid=reason,
        grader_version=job.task.grader.version,
        duration_s=time.monotonic() - started,
    )


def oracle_artifact(spec: TaskSpec, grader_data: Path) -> dict[str, bytes]:
    """The perfect artifact, straight from the labels (of several texts the first): what the `oracle` agent hands in."""
    key, target = _columns(spec)
    labels = _read_labels(grader_data, key, target)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((key, target))
    writer.writerows((row[0], row[1].split("\n")[0]) for row in labels.select(key, target).iter_rows())
    return {_file(spec).path: text.getvalue().encode()}


def _columns(spec: TaskSpec) -> tuple[str, str]:
    key, target = spec.grader.key, spec.grader.target
    if spec.grader.kind != "predictions" or key is None or target is None:
        raise GradingError(f"{spec.id} is not a predictions task: its grader is of the kind {spec.grader.kind}")
    return key, target


def _file(spec: TaskSpec) -> ArtifactFile:
    if len(spec.artifact) != 1 or spec.artifact[0].media != "csv":
        raise GradingError(f"{spec.id}: a predictions task declares exactly one CSV file as its artifact")
    return spec.artifact[0]


def _read_labels(folder: Path | None, key: str, target: str) -> pl.DataFrame:
    """grader/labels.csv as text, ordered by id, so that no sum depends on the order of a file."""
    if folder is None or not (folder / LABELS).is_file():
        raise GradingError(f"no {LABELS} in {folder}; prepare the task's data first (gymboard data prepare)")
    try:
        labels = pl.read_csv(folder / LABELS, infer_schema=False, empty_string_is_null=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise GradingError(f"{folder / LABELS}: unreadable: {error}") from error
    if set(labels.columns) != {key, "split", target}:
        raise GradingError(f"{folder / LABELS}: columns must be {key}, split, {target}; found {labels.columns}")
    if labels[key].is_duplicated().any() or set(labels["split"]) != SPLITS:
        raise GradingError(f"{folder / LABELS}: ids must be unique, and both splits present")
    return labels.sort(key)


def _labels(job: GradeJob) -> pl.DataFrame:
    key, target = _columns(job.task)
    labels = _read_labels(job.grader_data, key, target)
    typed = labels.with_columns(_typed(job.task, labels[target]).alias("truth"))
    if typed["truth"].null_count() or not _finite(typed["truth"]).all():
        raise GradingError(f"{job.task.id}: {LABELS} holds a {target} that is no {job.task.grader.target_type}")
    return typed.select(key, "split", "truth")


def _typed(spec: TaskSpec, text: pl.Series) -> pl.Series:
    """Text -> the declared type; null where it is not one."""
    return text.cast(TYPES[spec.grader.target_type or "str"], strict=False)


def _finite(values: pl.Series) -> pl.Series:
    return values.is_finite() if values.dtype == pl.Float64 else values.is_not_null()


def _predictions(job: GradeJob) -> pl.DataFrame:
    """The artifact's rows, typed. Raises InvalidArtifact."""
    key, target = _columns(job.task)
    declared = _file(job.task)
    name = declared.path
    if set(job.artifact) != {name}:
        found = ", ".join(shown(path) for path in sorted(job.artifact)[:SHOWN_IDS]) or "nothing"
        raise InvalidArtifact(f"the artifact must be exactly {name}; found {found}")
    data = job.artifact[name]
    if len(data) > declared.max_bytes:
        raise InvalidArtifact(f"{name}: has {len(data):,} bytes; at most {declared.max_bytes:,} are taken")
    cells = read_table(name, data, (key, target))
    text = pl.DataFrame(cells, schema={key: pl.String, target: pl.String})
    values = _typed(job.task, text[target])
    _refuse_values(name, text, values, job.task)
    return text.select(key).with_columns(values.alias("prediction"))


def _refuse_values(name: str, text: pl.DataFrame, values: pl.Series, spec: TaskSpec) -> None:
    key, target = _columns(spec)
    kind = spec.grader.target_type or "str"
    bad = values.is_null() | ~_finite(values).fill_null(value=False) | (text[target] == "")
    if kind == "texts":
        printable = text[target].map_elements(str.isprintable, return_dtype=pl.Boolean)
        bad |= ~printable | (text[target].str.len_chars() > MAX_TEXT)
    if bad.any():
        rows = text.filter(bad)
        examples = (
            f"{shown(row[key])} -> {shown(row[target]) or '(empty)'}" for row in rows.head(SHOWN_IDS).to_dicts()
        )
        raise InvalidArtifact(f"{name}: {target} must be {WANTED[kind]}; {_count(rows.height, examples)}")


def _joined(labels: pl.DataFrame, predictions: pl.DataFrame, job: GradeJob) -> pl.DataFrame:
    """Truth and prediction of the split's rows, in the labels' order. Raises InvalidArtifact."""
    key, _ = _columns(job.task)
    name = _file(job.task).path
    given = predictions[key]
    faults = {
        "more than once": given.filter(given.is_duplicated()).unique(maintain_order=True),
        "unknown": given.filter(~given.is_in(labels[key].to_list())).unique(maintain_order=True),
        "missing": labels[key].filter(~labels[key].is_in(given.to_list())),
    }
    found = [f"{kind}: {_count(len(ids), map(shown, ids.head(SHOWN_IDS)))}" for kind, ids in faults.items() if len(ids)]
    if found:
        raise InvalidArtifact(f"{name}: every {key} of the inputs must appear exactly once; {'; '.join(found)}")
    rows = labels.filter(pl.col("split") == job.split)
    return rows.join(predictions, on=key, how="left", maintain_order="left")


def _count(total: int, examples: Iterable[str]) -> str:
    listed = ", ".join(examples)
    return f"{total} such ({listed}{', ...' if total > SHOWN_IDS else ''})"


def _measure(spec: TaskSpec, joined: pl.DataFrame) -> tuple[dict[str, float], dict[str, float]]:
    truth, prediction = joined["truth"].to_numpy(), joined["prediction"].to_numpy()
    values: dict[str, float] = {}
    errors: dict[str, float] = {}
    for metric in spec.metrics:
        if metric.name not in METRICS:
            raise GradingError(f"{spec.id}: no metric {metric.name!r} here; there are {', '.join(sorted(METRICS))}")
        with np.errstate(over="ignore", invalid="ignore"):
            value, stderr = METRICS[metric.name](truth, prediction)
        if not math.isfinite(value):
            raise InvalidArtifact(f"{_file(spec).path}: the values are so large that {metric.name} overflows")
        values[metric.name] = value
        if stderr is not None and math.isfinite(stderr):
            errors[metric.name] = stderr
    return values, errors
