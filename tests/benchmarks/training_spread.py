"""How far a task's sealed value moves when the same honest training is repeated without a fixed seed.

Run: `python tests/benchmarks/training_spread.py [smoke|official] [REPEATS]`. House prices: a random forest and boosted
trees on subsamples, which is what an agent reaches for, each trained REPEATS times in the cpu family's own environment
and graded by our grader. The largest standard deviation belongs into harness/replay/spreads.toml; a replay may be
4 * sqrt(2) of it apart. Never a target: it is a measurement.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness import images
from harness.data import prepare
from harness.grading.base import GradeJob
from harness.grading.predictions import grade_predictions
from harness.schema.task import load_task, tasks_root

FOLDER = tasks_root() / "house-price"
LEARNERS = {
    "forest": "RandomForestRegressor()",
    "boosted": "GradientBoostingRegressor(subsample=0.5)",
}
SCRIPT = """
import sys
from pathlib import Path
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

data, out, repeats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
train, inputs = pd.read_csv(data / "train.csv"), pd.read_csv(data / "inputs.csv", dtype={{"id": str}})
features = train.drop(columns="SalePrice")
numeric = list(features.select_dtypes("number").columns)
words = [name for name in features.columns if name not in numeric]
filled = SimpleImputer(strategy="constant", fill_value="missing")
coded = make_pipeline(filled, OneHotEncoder(handle_unknown="ignore", sparse_output=False))
for number in range(repeats):
    columns = ColumnTransformer([("numbers", SimpleImputer(), numeric), ("words", coded, words)])
    model = make_pipeline(columns, {learner}).fit(features, train["SalePrice"])
    made = pd.DataFrame({{"id": inputs["id"], "SalePrice": model.predict(inputs[features.columns])}})
    made.to_csv(out / f"{{number}}.csv", index=False)
"""


def values(learner: str, profile: str, repeats: int) -> list[float]:
    """Sealed r2 of each repetition."""
    task = load_task(FOLDER)
    data = prepare(task, FOLDER, profile, mirror=Path(os.environ.get("GYMBOARD_DATA_MIRROR", ".")))  # type: ignore[arg-type]
    assert data is not None
    python = images.environment("cpu", print) / "bin" / "python"
    found = []
    with tempfile.TemporaryDirectory() as place:
        script = SCRIPT.format(learner=learner)
        subprocess.run([python, "-c", script, data.agent, place, str(repeats)], check=True)
        for number in range(repeats):
            artifact = {"submission.csv": Path(place, f"{number}.csv").read_bytes()}
            job = GradeJob(task, FOLDER, profile, "sealed", artifact, bytes(32), data.grader)  # type: ignore[arg-type]
            found.append(grade_predictions(job).metrics["r2"])
    return found


def main() -> None:
    profile = sys.argv[1] if len(sys.argv) > 1 else "smoke"
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    for name, learner in LEARNERS.items():
        found = values(learner, profile, repeats)
        sd = statistics.stdev(found)
        print(
            f"house-price {profile} {name}: mean r2 {statistics.mean(found):.5f}, sd {sd:.5f} over {repeats}, "
            f"allowed apart {4 * math.sqrt(2) * sd:.5f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
