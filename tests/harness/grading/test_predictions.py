"""Grading a file of predictions: right ones exactly, wrong ones with one reason, whatever is in them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score, root_mean_squared_error

from harness.errors import GradingError
from harness.grading.base import GradeJob
from harness.grading.predictions import grade_predictions, oracle_artifact
from harness.schema.episode import Verdict
from harness.schema.task import ArtifactFile, Metric, Split, TaskSpec, load_task

FOLDER = Path(__file__).resolve().parents[3] / "tasks" / "house-price"
SPEC = load_task(FOLDER)
HUGE = SPEC.model_copy(update={"artifact": (ArtifactFile(path="submission.csv", max_bytes=1 << 30, media="csv"),)})
RANDOM = random.Random(3)
IDS = sorted(f"{RANDOM.getrandbits(64):016x}" for _ in range(60))
TRUTH = {key: float(RANDOM.randrange(50_000, 400_000)) for key in IDS}
SPLIT = {key: "validation" if number % 3 == 0 else "sealed" for number, key in enumerate(IDS)}
GUESS = {key: value + RANDOM.uniform(-30_000, 30_000) for key, value in TRUTH.items()}


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grader")
    write_labels(folder, IDS)
    return folder


def write_labels(folder: Path, order: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "split", "SalePrice"), *((key, SPLIT[key], TRUTH[key]) for key in order)])


def table(rows: dict[str, float] | list[tuple[str, object]], header: str = "id,SalePrice", end: str = "\n") -> bytes:
    pairs = rows.items() if isinstance(rows, dict) else rows
    return end.join([header, *(f"{key},{value}" for key, value in pairs), ""]).encode()


def graded(labels: Path, data: bytes, split: Split = "sealed", spec: TaskSpec = SPEC) -> Verdict:
    return grade_predictions(GradeJob(spec, FOLDER, "official", split, {"submission.csv": data}, b"", labels))


def reason(labels: Path, data: bytes, spec: TaskSpec = SPEC) -> str:
    verdict = graded(labels, data, spec=spec)
    assert verdict.invalid is not None
    assert not verdict.metrics
    assert verdict.n is None
    assert all(char.isprintable() for char in verdict.invalid)
    assert len(verdict.invalid) < 500
    return verdict.invalid


GOOD = table(GUESS)


@pytest.mark.parametrize("split", ["validation", "sealed"])
def test_each_split_counts_its_own_rows(labels: Path, split: Split) -> None:
    verdict = graded(labels, GOOD, split)
    rows = [key for key in IDS if SPLIT[key] == split]
    truth, guess = [TRUTH[key] for key in rows], [GUESS[key] for key in rows]
    assert verdict.metrics["r2"] == pytest.approx(r2_score(truth, guess), rel=1e-12)
    assert verdict.metrics["rmse"] == pytest.approx(root_mean_squared_error(truth, guess), rel=1e-12)
    assert verdict.n == len(rows)
    assert set(verdict.stderr) == {"r2", "rmse"}


def test_the_order_of_either_file_does_not_matter(labels: Path, tmp_path: Path) -> None:
    first = graded(labels, GOOD)
    for turn in range(5):
        order = random.Random(turn)
        write_labels(tmp_path / "grader", order.sample(IDS, len(IDS)))
        again = graded(tmp_path / "grader", table(order.sample(list(GUESS.items()), len(GUESS))))
        assert (again.metrics, again.stderr) == (first.metrics, first.stderr)


@pytest.mark.parametrize(
    "data",
    [
        table(GUESS, end="\r\n"),
        b"\xef\xbb\xbf" + GOOD,
        GOOD.rstrip(b"\n"),
        GOOD + b"\n\n",
        table([(f'"{key}"', f'"{value}"') for key, value in GUESS.items()], header='"id","SalePrice"'),
        "".join(["SalePrice,id\n", *(f"{value},{key}\n" for key, value in GUESS.items())]).encode(),
        table([(key, f"{value:.12e}") for key, value in GUESS.items()]),
    ],
    ids=["crlf", "bom", "no last newline", "blank lines at the end", "quoted", "columns swapped", "exponents"],
)
def test_what_is_accepted(labels: Path, data: bytes) -> None:
    assert graded(labels, data).metrics["r2"] == pytest.approx(graded(labels, GOOD).metrics["r2"], rel=1e-9)


FIRST = next(key for key in IDS if SPLIT[key] == "sealed")


def changed(value: object) -> bytes:
    return table([(key, value if key == FIRST else guess) for key, guess in GUESS.items()])


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
        "abc",
        "0x1F",
        "1_000",
        "1,5",
        "12 000",
        "١٢",
        "True",
        "None",
        "$1",
    ],
)
def test_what_is_no_price(labels: Path, value: str) -> None:
    text = reason(labels, changed(value))
    if value == "1,5":
        assert "has 3 values, the header has 2" in text
    else:
        assert f"SalePrice must be a finite number; 1 such ({FIRST} -> " in text


@pytest.mark.parametrize("value", ["1e308", "-1e308", "1e200"])
def test_prices_that_overflow(labels: Path, value: str) -> None:
    assert "so large that r2 overflows" in reason(labels, changed(value))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda rows: rows[1:], ["missing: 1 such", IDS[0]]),
        (lambda rows: rows[:20], ["missing: 40 such", "..."]),
        (lambda rows: [*rows, rows[0]], ["more than once: 1 such", IDS[0]]),
        (lambda rows: [*rows, *rows], ["more than once: 60 such"]),
        (lambda rows: [*rows, ("stranger", 1.0)], ["unknown: 1 such (stranger)"]),
        (lambda rows: [(key.upper() + "x", value) for key, value in rows], ["unknown: 60", "missing: 60"]),
        (lambda rows: [(f" {key}", value) for key, value in rows], ["unknown: 60", "missing: 60"]),
        (lambda rows: [(f"{key}\u200b", value) for key, value in rows], ["unknown: 60", "?"]),
        (lambda rows: [("\u202e\x1b[2J" + "y" * 500, 1.0), *rows[1:]], ["unknown: 1 such (??[2J", "y..."]),
        (lambda rows: [("", 1.0), *rows[1:]], ["unknown: 1 such ()", "missing: 1"]),
        (lambda rows: [(place, value) for place, (_, value) in enumerate(rows)], ["unknown: 60 such (0, 1, 2, 3, 4, "]),
    ],
)  # fmt: skip
def test_ids(labels: Path, spoil: Callable[[list], list], words: list[str]) -> None:
    text = reason(labels, table(spoil(list(GUESS.items()))))
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"id,SalePrice\n", "has a header and no rows"),
        (GOOD.split(b"\n", 1)[1], "must name exactly the columns id, SalePrice"),
        (GOOD.replace(b"id,", b"Id,", 1), "it has Id, SalePrice"),
        (GOOD.replace(b"\n", b",1\n"), "it has id, SalePrice, 1"),
        (GOOD.replace(b"SalePrice", b"SalePrice,r2", 1), "it has id, SalePrice, r2"),
        (GOOD.replace(b"SalePrice", b"id", 1), "it has id, id"),
        (GOOD.replace(b",", b";"), "it has id;SalePrice"),
        (GOOD.replace(b",", b"\t"), "it has id?SalePrice"),
        (GOOD + b"x\n", "has 1 values, the header has 2"),
        (GOOD.replace(b"\n", b"\n\n", 3), "line 2 is empty"),
        (GOOD + b"\xff\xfe,1\n", "line 62 is not UTF-8 (byte 0xff)"),
        (GOOD.decode().encode("utf-16"), "NUL byte"),
        (GOOD + b"a\0b,1\n", "line 62 holds a NUL byte"),
        (GOOD.replace(b"\n", b"\r"), "lone carriage return"),
        (GOOD + b'"two\nlines",1\n', "line 62 opens a quote and does not close it"),
        (GOOD + b'"open,1\n', "line 62 opens a quote"),
        (GOOD + b'"a"b"",1\n', "line 62 is not CSV"),
        (b"PK\x03\x04" + bytes(100), "NUL byte"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        (b",".join(b"c%d" % number for number in range(500)), ", ..."),
    ],
)
def test_what_is_no_such_table(labels: Path, data: bytes, words: str) -> None:
    assert words in reason(labels, data)


def test_a_line_of_a_hundred_megabytes(labels: Path) -> None:
    for big in (b"x" * 100_000_000, b'"' * 100_000_000, b"," * 100_000_000):
        assert "line 62 has 100,000,000 bytes" in reason(labels, GOOD + big, HUGE)


def test_many_small_lines(labels: Path) -> None:
    assert "missing: 60" in reason(labels, table([(f"n{number}", 1) for number in range(200_000)]), HUGE)


def test_the_cap_holds_also_without_the_copy_out(labels: Path) -> None:
    assert "at most 1,048,576 are taken" in reason(labels, GOOD + b"x" * 1_048_577)


@pytest.mark.parametrize("names", [(), ("other.csv",), ("submission.csv", "x\x1b.csv")])
def test_exactly_the_declared_file(labels: Path, names: tuple[str, ...]) -> None:
    job = GradeJob(SPEC, FOLDER, "official", "sealed", dict.fromkeys(names, GOOD), b"", labels)
    verdict = grade_predictions(job)
    assert verdict.invalid is not None
    assert verdict.invalid.startswith("the artifact must be exactly submission.csv; found ")
    assert verdict.invalid.isprintable()


@given(data=st.binary(max_size=400) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_invalid_with_a_reason(labels: Path, data: bytes) -> None:
    assert graded(labels, data).invalid


@given(place=st.integers(0, len(GOOD) - 1), patch=st.binary(min_size=1, max_size=3))
def test_any_damage_is_graded_or_invalid(labels: Path, place: int, patch: bytes) -> None:
    verdict = graded(labels, GOOD[:place] + patch + GOOD[place + 1 :])
    assert verdict.valid == bool(verdict.metrics)


def test_the_oracle_is_perfect(labels: Path) -> None:
    artifact = oracle_artifact(SPEC, labels)
    assert set(artifact) == {"submission.csv"}
    for split in ("validation", "sealed"):
        assert graded(labels, artifact["submission.csv"], split).metrics == {"r2": 1.0, "rmse": 0.0}


def with_target(kind: str) -> TaskSpec:
    metric = Metric(name="accuracy", label="Accuracy", direction="max", unit="")
    grader = SPEC.grader.model_copy(update={"target_type": kind, "target": "label"})
    return SPEC.model_copy(update={"metrics": (metric,), "grader": grader})


@pytest.mark.parametrize(
    ("kind", "values", "bad"), [("int", [3, 1, 4, 1], ["1.0", "x", "1e2", ""]), ("str", ["a", "b,", "ü", "a"], [""])]
)
def test_other_targets(tmp_path: Path, kind: str, values: list[object], bad: list[str]) -> None:
    rows = [(f"k{number}", "sealed" if number else "validation", value) for number, value in enumerate(values)]
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "split", "label"), *rows])
    spec = with_target(kind)
    perfect = oracle_artifact(spec, tmp_path)["submission.csv"]
    verdict = graded(tmp_path, perfect, spec=spec)
    assert (verdict.metrics, verdict.n) == ({"accuracy": 1.0}, 3)
    for value in bad:
        text = io.StringIO()
        csv.writer(text).writerows([("id", "label"), *((key, value) for key, _, _ in rows)])
        assert "label must be" in reason(tmp_path, text.getvalue().encode(), spec)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,SalePrice\na,1\n", "columns must be id, split, SalePrice"),
        ("id,split,SalePrice\na,sealed,1\na,validation,2\n", "ids must be unique"),
        ("id,split,SalePrice\na,sealed,1\nb,sealed,2\n", "both splits"),
        ("id,split,SalePrice\na,sealed,1\nb,train,2\nc,validation,1\n", "both splits"),
        ("id,split,SalePrice\na,sealed,x\nb,validation,2\n", "no float"),
        ("id,split,SalePrice\na,sealed,nan\nb,validation,2\n", "no float"),
        ("", "unreadable"),
        (None, "prepare the task's data first"),
    ],
)
def test_our_own_faults_are_never_the_agents(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(GradingError, match=words):
        graded(tmp_path, GOOD)


def test_an_unknown_metric_is_our_fault(labels: Path) -> None:
    metric = Metric(name="bleu", label="BLEU", direction="max", unit="")
    with pytest.raises(GradingError, match="no metric 'bleu' here; there are accuracy, bleu4, r2, rmse"):
        graded(labels, GOOD, spec=SPEC.model_copy(update={"metrics": (metric,)}))


def test_numbers_are_read_to_the_last_bit(labels: Path) -> None:
    exact = {key: np.nextafter(value, 0) for key, value in TRUTH.items()}
    verdict = graded(labels, table([(key, repr(float(value))) for key, value in exact.items()]))
    rows = [key for key in IDS if SPLIT[key] == "sealed"]
    assert verdict.metrics["rmse"] == root_mean_squared_error([TRUTH[k] for k in rows], [exact[k] for k in rows]) > 0
