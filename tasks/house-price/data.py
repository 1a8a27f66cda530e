"""House prices: splits the rows and hides where they were. Takes the pinned file or a seed, writes agent/, grader/.

Official: the 1,460 labelled rows of the pinned file, split as scikit-learn's train_test_split does it with
random_state 42: 20 % test (sealed), then 12.5 % of the rest for validation: 1,022 / 146 / 292.
Smoke: rows drawn from a seed with the same columns. The dataset `multiplicative` is drawn in both profiles; its prices
are products instead of sums. An id is SHAKE-256 of the row's place in the source; rows are
ordered by it, so everybody gets the same files and nothing in them leans on the original order. The ids are opaque,
not secret: this file is public, and whoever runs it can tell which place had which id.
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import numpy as np

KEY, TARGET, DROPPED = "id", "SalePrice", "Id"
NUMBERS = {  # smallest and largest value of the generated columns; the weights of the price are in generated()
    "MSSubClass": (20, 190), "LotFrontage": (21, 150), "LotArea": (1300, 20000), "OverallQual": (1, 10),
    "OverallCond": (1, 9), "YearBuilt": (1900, 2010), "YearRemodAdd": (1950, 2010), "MasVnrArea": (0, 600),
    "BsmtFinSF1": (0, 1500), "BsmtFinSF2": (0, 300), "BsmtUnfSF": (0, 1200), "TotalBsmtSF": (0, 2500),
    "1stFlrSF": (334, 2500), "2ndFlrSF": (0, 1500), "LowQualFinSF": (0, 300), "GrLivArea": (334, 4000),
    "BsmtFullBath": (0, 2), "BsmtHalfBath": (0, 1), "FullBath": (0, 3), "HalfBath": (0, 2), "BedroomAbvGr": (0, 6),
    "KitchenAbvGr": (1, 2), "TotRmsAbvGrd": (2, 14), "Fireplaces": (0, 3), "GarageYrBlt": (1900, 2010),
    "GarageCars": (0, 4), "GarageArea": (0, 1400), "WoodDeckSF": (0, 600), "OpenPorchSF": (0, 400),
    "EnclosedPorch": (0, 300), "3SsnPorch": (0, 300), "ScreenPorch": (0, 300), "PoolArea": (0, 600),
    "MiscVal": (0, 3000), "MoSold": (1, 12), "YrSold": (2006, 2010),
}  # fmt: skip
QUALITY = "Ex Gd TA Fa"
CATEGORIES = {
    "MSZoning": "RL RM FV RH", "Street": "Pave Grvl", "Alley": "NA Grvl Pave", "LotShape": "Reg IR1 IR2 IR3",
    "LandContour": "Lvl Bnk HLS Low", "Utilities": "AllPub", "LotConfig": "Inside Corner CulDSac FR2",
    "LandSlope": "Gtl Mod Sev", "Neighborhood": "NAmes CollgCr OldTown Edwards Somerst NridgHt",
    "Condition1": "Norm Feedr Artery", "Condition2": "Norm Feedr", "BldgType": "1Fam TwnhsE Duplex",
    "HouseStyle": "1Story 2Story 1.5Fin SLvl", "RoofStyle": "Gable Hip Flat", "RoofMatl": "CompShg WdShngl",
    "Exterior1st": "VinylSd HdBoard MetalSd BrkFace", "Exterior2nd": "VinylSd HdBoard MetalSd BrkFace",
    "MasVnrType": "None BrkFace Stone NA", "ExterQual": QUALITY, "ExterCond": QUALITY,
    "Foundation": "PConc CBlock BrkTil", "BsmtQual": QUALITY + " NA", "BsmtCond": "Gd TA Fa NA",
    "BsmtExposure": "No Av Gd Mn NA", "BsmtFinType1": "Unf GLQ ALQ BLQ NA", "BsmtFinType2": "Unf Rec LwQ NA",
    "Heating": "GasA GasW", "HeatingQC": QUALITY, "CentralAir": "Y N", "Electrical": "SBrkr FuseA FuseF",
    "KitchenQual": QUALITY, "Functional": "Typ Min1 Min2", "FireplaceQu": "NA " + QUALITY,
    "GarageType": "Attchd Detchd NA", "GarageFinish": "Unf RFn Fin NA", "GarageQual": QUALITY + " NA",
    "GarageCond": QUALITY + " NA", "PavedDrive": "Y N P", "PoolQC": "NA Gd", "Fence": "NA MnPrv GdPrv",
    "MiscFeature": "NA Shed", "SaleType": "WD New COD", "SaleCondition": "Normal Partial Abnorml",
}  # fmt: skip


def train_test_split(rows: int, test_share: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of the train and of the test rows, as scikit-learn draws them with random_state 42."""
    n_test = int(np.ceil(rows * test_share))
    order = np.random.RandomState(42).permutation(rows)
    return order[n_test:], order[:n_test]


def splits(rows: int) -> dict[str, np.ndarray]:
    rest, sealed = train_test_split(rows, 0.2)
    train, validation = train_test_split(len(rest), 0.125)
    return {"train": rest[train], "validation": rest[validation], "sealed": sealed}


def opaque_id(salt: str, place: int) -> str:
    return hashlib.shake_256(f"{salt}/{place}".encode()).hexdigest(8)


def downloaded(source: Path) -> list[dict[str, str]]:
    with (source / "house_prices.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def generated(rows: int, multiplicative: bool) -> list[dict[str, str]]:
    """Rows whose price is a sum of a few columns and noise: enough for the starter to learn something real.

    `multiplicative`: the same sum in the exponent, so that the starter, which fits the price itself, leaves much on
    the table, and a model of its logarithm does not.
    """
    random = np.random.RandomState(20250220)
    numbers = {name: random.randint(low, high + 1, rows) for name, (low, high) in NUMBERS.items()}
    words = {name: random.choice(levels.split(), rows) for name, levels in CATEGORIES.items()}
    price = (
        12000 * numbers["OverallQual"] + 40 * numbers["GrLivArea"] + 25 * numbers["TotalBsmtSF"]
        + 300 * (numbers["YearBuilt"] - 1900) + 20000 * (words["KitchenQual"] == "Ex")
        + 15000 * (words["Neighborhood"] == "NridgHt") + random.randint(-25000, 25001, rows)
    )  # fmt: skip
    if multiplicative:
        price = np.round(170000 * np.exp((price - price.mean()) / 70000)).astype(int)
    absent = random.randint(0, 10, rows) == 0
    columns = {name: values.astype(str) for name, values in (numbers | words).items()}
    columns["LotFrontage"] = np.where(absent, "NA", columns["LotFrontage"])
    columns[TARGET] = np.maximum(price, 30000).astype(str)
    return [dict(zip(columns, map(str, row), strict=True)) for row in zip(*columns.values(), strict=True)]


def write(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("official", "smoke"), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--params", type=json.loads, required=True)
    args = parser.parse_args()
    dataset = args.params.get("dataset", "default")
    if dataset == "default" and args.profile == "official":
        rows = downloaded(args.source)
    else:
        rows = generated(int(args.params["rows"]), multiplicative=dataset == "multiplicative")
    features = [name for name in rows[0] if name not in (DROPPED, TARGET)]
    salt = f"gymboard/house-price/{args.profile}/1" + ("" if dataset == "default" else f"/{dataset}")
    for split, places in splits(len(rows)).items():
        for place in places:
            rows[place] |= {"split": split, KEY: opaque_id(salt, int(place))}
    rows.sort(key=lambda row: row[KEY])
    hidden = [row for row in rows if row["split"] != "train"]
    write(args.out / "agent/train.csv", [*features, TARGET], [row for row in rows if row["split"] == "train"])
    write(args.out / "agent/inputs.csv", [KEY, *features], hidden)
    write(args.out / "grader/labels.csv", [KEY, "split", TARGET], hidden)


if __name__ == "__main__":
    main()
