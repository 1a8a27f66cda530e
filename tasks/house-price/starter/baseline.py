"""The baseline: ridge regression on the raw columns. Reads $GYMBOARD_DATA, writes submission.csv.

Its last line is an estimate of the score, made on training rows that are held out in turn.
"""

import os
from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ALPHA = float(os.environ.get("GYMBOARD_HP_ALPHA", "0.1"))
IMPUTE = os.environ.get("GYMBOARD_HP_IMPUTE", "mean")
MIN_FREQUENCY = int(os.environ.get("GYMBOARD_HP_MIN_FREQUENCY", "1"))

data = Path(os.environ["GYMBOARD_DATA"])
train = pd.read_csv(data / "train.csv")
inputs = pd.read_csv(data / "inputs.csv", dtype={"id": str})

features = train.drop(columns="SalePrice")
numeric = list(features.select_dtypes("number").columns)
categorical = [name for name in features.columns if name not in numeric]

numbers = make_pipeline(SimpleImputer(strategy=IMPUTE), StandardScaler())
words = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="missing"),
    # Dense: on sparse columns ridge stops early, and its result depends on the order of the rows.
    OneHotEncoder(handle_unknown="ignore", min_frequency=MIN_FREQUENCY, sparse_output=False),
)
columns = ColumnTransformer([("numbers", numbers, numeric), ("words", words, categorical)])
model = make_pipeline(columns, Ridge(alpha=ALPHA))
folds = KFold(5, shuffle=True, random_state=0)
estimate = r2_score(train["SalePrice"], cross_val_predict(model, features, train["SalePrice"], cv=folds))
model.fit(features, train["SalePrice"])

predictions = model.predict(inputs[features.columns])
pd.DataFrame({"id": inputs["id"], "SalePrice": predictions}).to_csv("submission.csv", index=False)
print(f"wrote submission.csv with {len(inputs)} predictions")
print(f"estimate r2 = {estimate:.6f}")
