"""Releases of each type, small and made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from django.utils import translation
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from products.runtimes import host
from products.runtimes.base import ReleaseSpec, Secrets

AT = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(product_key=lambda code: KEY, link_key=b"link key of the tests")


@pytest.fixture
def make_release() -> Callable[..., ReleaseSpec]:
    def make(kind: str, config: dict[str, Any], artifact: bytes, code: str = "demo", **more: Any) -> ReleaseSpec:
        given, answered = host.SCHEMAS[kind]
        fields = {"version": 1, "input_schema": given(config), "output_schema": answered(config), **more}
        return ReleaseSpec(product_code=code, type=kind, config=config, artifact=artifact, **fields)

    return make


@pytest.fixture(scope="session")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    """300 made-up applicants with numeric and text columns, some of them missing."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "months": random.integers(0, 60, 300).astype(float),
            "base": random.random(300) * 10_000,
            "kind": random.choice(["agency", "firm", "self"], 300),
            "base_kind": random.choice(["full", "part"], 300),
            "breaks": random.integers(0, 5, 300).astype(float),
        }
    )
    frame.loc[::17, "base"] = np.nan
    target = (frame["months"] / 60 + random.random(300) > 1).astype(int).to_numpy()
    return frame, target


@pytest.fixture(scope="session")
def fitted(people) -> Callable[[Any], Any]:
    """A whole pipeline around an estimator: imputing, scaling, one-hot, ordinal, passthrough."""

    def fit(estimator: Any) -> Any:
        numbers = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
        prepare = ColumnTransformer(
            [
                ("numbers", numbers, ["months", "base"]),
                ("kinds", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
                ("order", OrdinalEncoder(), ["base_kind"]),
            ],
            remainder="passthrough",
        )
        return Pipeline([("prepare", prepare), ("estimate", estimator)]).fit(*people)

    return fit


def model_config(**more: Any) -> dict[str, Any]:
    kinds = {"months": "number", "base": "number", "kind": "text", "base_kind": "text", "breaks": "number"}
    return {
        "fields": [
            {"name": name, "kind": kind, "code": f"R_{name.upper()}", "text": {"zh": f"因素 {name}", "en": name}}
            for name, kind in kinds.items()
        ],
        **more,
    }


@pytest.fixture
def model_release(fitted, make_release) -> Callable[..., ReleaseSpec]:
    def make(estimator: Any, code: str = "score", **config: Any) -> ReleaseSpec:
        return make_release("model", model_config(**config), skops.io.dumps(fitted(estimator)), code)

    return make
