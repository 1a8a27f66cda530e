"""House prices: upstream's splits, ids that tell nothing, generated data of the official shape, upstream's baseline."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import train_test_split

from harness import images
from harness.data import Prepared, prepare
from harness.grading.base import GradeJob
from harness.grading.predictions import grade_predictions
from harness.schema.episode import Verdict
from harness.schema.task import ProfileName, load_task, tasks_root

FOLDER = tasks_root() / "house-price"
SPEC = load_task(FOLDER)
SCRIPT = runpy.run_path(str(FOLDER / "data.py"))


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared("smoke", tmp_path_factory.mktemp("smoke"))


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    from tests.conftest import data_folder

    return prepared("official", tmp_path_factory.mktemp("official"), data_folder())


def prepared(profile: ProfileName, root: Path, mirror: Path | None = None) -> Prepared:
    made = prepare(SPEC, FOLDER, profile, mirror=mirror, root=root)
    assert made is not None
    return made


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False, empty_string_is_null=False)


def starter_verdict(data: Prepared, profile: ProfileName, workspace: Path) -> Verdict:
    python = images.environment(SPEC.image, print) / "bin" / "python"
    subprocess.run(
        [python, FOLDER / "starter" / "baseline.py"],
        cwd=workspace,
        env={"GYMBOARD_DATA": str(data.agent)},
        check=True,
    )
    artifact = {"submission.csv": (workspace / "submission.csv").read_bytes()}
    return grade_predictions(GradeJob(SPEC, FOLDER, profile, "sealed", artifact, b"", data.grader))


@pytest.mark.parametrize("rows", [10, 399, 400, 1168, 1460, 1461])
@pytest.mark.parametrize("share", [0.2, 0.125])
def test_the_split_is_scikit_learns(rows: int, share: float) -> None:
    train, test = SCRIPT["train_test_split"](rows, share)
    expected_train, expected_test = train_test_split(np.arange(rows), test_size=share, random_state=42)
    assert sorted(train) == sorted(expected_train)
    assert sorted(test) == sorted(expected_test)


def test_both_splits_one_after_the_other_are_scikit_learns() -> None:
    rest, sealed = train_test_split(np.arange(1460), test_size=0.2, random_state=42)
    train, validation = train_test_split(rest, test_size=0.125, random_state=42)
    ours = {name: sorted(places) for name, places in SCRIPT["splits"](1460).items()}
    assert ours == {"train": sorted(train), "validation": sorted(validation), "sealed": sorted(sealed)}
    assert [len(ours[name]) for name in ("train", "validation", "sealed")] == [1022, 146, 292]


@pytest.mark.data
def test_official_data(official: Prepared, real_data: Path) -> None:
    source = read(real_data / "house_prices.csv")
    features = [name for name in source.columns if name not in ("Id", "SalePrice")]
    train, inputs = read(official.agent / "train.csv"), read(official.agent / "inputs.csv")
    labels = read(official.grader / "labels.csv")
    assert train.columns == [*features, "SalePrice"]
    assert inputs.columns == ["id", *features]
    assert (len(features), train.height, inputs.height) == (79, 1022, 438)
    assert sorted(path.name for path in official.agent.iterdir()) == ["inputs.csv", "train.csv"]
    assert labels["split"].value_counts().sort("split").rows() == [("sealed", 292), ("validation", 146)]
    both = inputs.join(labels, on="id", how="inner", validate="1:1")
    whole = pl.concat([train, both.select(train.columns)])
    assert whole.sort(whole.columns).equals(source.select(train.columns).sort(whole.columns))
    expected = source["SalePrice"].gather(SCRIPT["splits"](1460)["sealed"]).sort()
    assert both.filter(pl.col("split") == "sealed")["SalePrice"].sort().equals(expected)


@pytest.mark.data
def test_order_and_ids_tell_nothing(official: Prepared, real_data: Path) -> None:
    """Neither the place in the file nor the id's value goes with the original place, the split or the price."""
    source = read(real_data / "house_prices.csv")
    inputs = read(official.agent / "inputs.csv").with_row_index("place")
    labels = read(official.grader / "labels.csv")
    features = [name for name in source.columns if name not in ("Id", "SalePrice")]
    joined = inputs.join(source.select("Id", *features), on=features).join(labels, on="id")
    place = joined["place"].cast(pl.Float64)
    assert place.is_sorted()
    assert joined["id"].is_sorted()
    joined = joined.with_columns(sealed=pl.col("split") == "sealed")
    for name in ("Id", "SalePrice", "sealed"):
        assert abs(np.corrcoef(place, joined[name].cast(pl.Float64))[0, 1]) < 3 / np.sqrt(joined.height), name
    assert joined["id"].str.contains("^[0-9a-f]{16}$").all()


@pytest.mark.data
def test_the_starter_scores_what_upstream_published(official: Prepared, tmp_path: Path) -> None:
    verdict = starter_verdict(official, "official", tmp_path)
    assert verdict.metrics["r2"] == pytest.approx(0.87999, abs=5e-6)
    assert verdict.metrics["rmse"] == pytest.approx(30340.1, abs=0.05)
    measured = SPEC.baseline("official")
    assert measured is not None
    assert verdict.metrics["r2"] == pytest.approx(measured.value, abs=1e-6)
    assert verdict.stderr["r2"] == pytest.approx(measured.stderr, abs=1e-6)


def test_the_starter_learns_something_from_the_generated_rows(smoke: Prepared, tmp_path: Path) -> None:
    verdict = starter_verdict(smoke, "smoke", tmp_path)
    measured = SPEC.baseline("smoke")
    assert measured is not None
    assert measured.tolerance is not None
    assert verdict.metrics["r2"] == pytest.approx(measured.value, abs=measured.tolerance)
    assert verdict.n == measured.n == 80


@pytest.mark.data
def test_generated_rows_have_the_official_columns(smoke: Prepared, real_data: Path) -> None:
    source = read(real_data / "house_prices.csv").drop("Id")
    train = read(smoke.agent / "train.csv")
    assert sorted(train.columns) == sorted(source.columns)
    for name in SCRIPT["CATEGORIES"]:
        assert set(train[name]) <= set(source[name]), name
    for name, (low, high) in SCRIPT["NUMBERS"].items():
        numbers = source.filter(pl.col(name) != "NA")[name].cast(pl.Int64)
        assert numbers.min() <= low, name  # type: ignore[operator]
        assert high <= numbers.max(), name  # type: ignore[operator]


def test_the_agents_folder_holds_no_label(smoke: Prepared) -> None:
    assert "SalePrice" not in read(smoke.agent / "inputs.csv").columns
    hidden = read(smoke.grader / "labels.csv")
    shown = "".join(path.read_text() for path in smoke.agent.iterdir() if path.name == "inputs.csv")
    cells = {cell for line in shown.splitlines() for cell in line.split(",")}
    assert not cells & set(hidden["SalePrice"].to_list())
