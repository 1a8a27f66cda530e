"""The baseline: ridge regression on the raw columns. Reads $GYMBOARD_DATA, writes submission.csv."""

import os
from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

data = Path(os.environ["GYMBOARD_DATA"])
train = pd.read_csv(data / "train.csv")
inputs = pd.read_csv(data / "inputs.csv", dtype={"id": str})

features = train.drop(columns="SalePrice")
numeric = list(features.select_dtypes("number").columns)
categorical = [name for name in features.columns if name not in numeric]

numbers = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler())
words = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="missing"),
    # Dense: on sparse columns ridge stops early, and its result depends on the order of the rows.
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
)
columns = ColumnTransformer([("numbers", numbers, numeric), ("words", words, categorical)])
model = make_pipeline(columns, Ridge(alpha=0.1))
model.fit(features, train["SalePrice"])

houses = inputs.sort_values(["Neighborhood", "YearBuilt"])
predictions = model.predict(houses[features.columns])
pd.DataFrame({"id": inputs["id"], "SalePrice": predictions}).to_csv("submission.csv", index=False)
print(f"wrote submission.csv with {len(inputs)} predictions")
