"""How the data file of pre-loan-score.yaml was made: a small scorecard, trained on made-up people.

Run `.venv/bin/python docs/specs/train_pre_loan_score.py docs/specs/data/pre-loan-score.skops`. An operator does the same
at its side with the real records; only this file leaves, and it holds coefficients, not people.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = ["months_paid", "base_ratio", "breaks", "unemployment_months"]
BY_EMPLOYER = {"company": 0.0, "institution": -0.6, "self_employed": 0.5}


def made_up_people(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns as in the spec's config, and whether the loan went bad."""
    random = np.random.default_rng(20260401)
    people = pd.DataFrame(
        {
            "months_paid": random.integers(0, 121, count).astype(float),
            "base_ratio": np.round(random.lognormal(0, 0.35, count), 2),
            "breaks": random.poisson(1.2, count).astype(float),
            "unemployment_months": random.poisson(0.6, count).astype(float),
            "employer_type": random.choice(list(BY_EMPLOYER), count, p=[0.6, 0.2, 0.2]),
        }
    )
    risk = -1.2 - 0.022 * (people["months_paid"] - 48) - 0.6 * (people["base_ratio"] - 1) + 0.45 * people["breaks"]
    risk += 0.5 * people["unemployment_months"] + people["employer_type"].map(BY_EMPLOYER)
    return people, (random.random(count) < 1 / (1 + np.exp(-risk))).astype(int).to_numpy()


def main() -> None:
    prepare = ColumnTransformer(
        [("numbers", StandardScaler(), NUMBERS), ("kinds", OneHotEncoder(handle_unknown="ignore"), ["employer_type"])]
    )
    pipeline = Pipeline([("prepare", prepare), ("estimate", LogisticRegression())]).fit(*made_up_people(4000))
    Path(sys.argv[1]).write_bytes(skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED))


if __name__ == "__main__":
    main()
