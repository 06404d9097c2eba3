"""Model products: a scikit-learn pipeline that answers a score with the reasons for it.

Artifact: a skops file (``trust``). Config::

    {"fields": [{"name", "kind": "number" | "text", "code", "text": {"zh", "en"}}…],
     "decimals": 4, "scorecard": {"offset": "600", "factor": "-28.85"},
     "limits": {"seconds": 2, "memory_mb": 512}}

``fields`` are the pipeline's columns in order; with a scorecard, points = offset + factor × log-odds.
Output: score, base and contributions are decimal strings on one scale and add up to the last digit printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from math import exp, isfinite
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from products.runtimes.attribution import LOG_ODDS, PROBABILITY, Attribution, explain, scale_of
from products.runtimes.base import ReleaseSpec, RunResult, RuntimeFailed, refuse_release
from products.runtimes.columns import column_fields
from products.runtimes.modelconfig import check_config
from products.runtimes.schemas import Schema
from products.runtimes.trust import MODEL_TYPES, load_trusted, trees

UNITS = {"calls": "1"}
DECIMALS = 4


class ModelRuntime:
    """A loaded model release. Built and run only in a worker process (``pool``), never in the gateway's own."""

    def __init__(self, release: ReleaseSpec) -> None:
        check_config(release.config)
        self._config = release.config
        self._fields: list[Mapping[str, Any]] = list(release.config["fields"])
        self._schema = Schema(release.input_schema, where="/input_schema")
        model = load_trusted(release.artifact)
        self._preparation, self._estimator = _split(model)
        self._scale = scale_of(self._estimator)
        if "scorecard" in release.config and self._scale != LOG_ODDS:
            raise refuse_release("/config/scorecard", _("needs a model on the log-odds scale"))
        self._names = [field["name"] for field in self._fields]
        expected = getattr(model, "feature_names_in_", None)
        self._is_table = expected is not None
        if expected is not None and [str(name) for name in expected] != self._names:
            raise refuse_release("/config/fields", _("must be the model's columns in order: %s") % ", ".join(expected))
        if getattr(model, "n_features_in_", len(self._names)) != len(self._names):
            raise refuse_release("/config/fields", _("the model has another number of columns"))
        self._sources = list(self._names)
        for step in self._preparation:
            self._sources = column_fields(step, self._sources)
        # scikit-learn's trees read the row without bounds checks: its width must be theirs.
        widths = {self._estimator.n_features_in_, *(tree.n_features for tree in trees(self._estimator))}
        if widths != {len(self._sources)}:
            raise refuse_release("/artifact", _("the prepared columns do not fit the estimator"))

    def check(self, body: Any) -> None:
        self._schema.check(body)

    def subject(self, body: Any) -> None:
        return None

    def run(self, body: Any, at: datetime) -> RunResult:
        """Score of a checked body. Raises ``RuntimeFailed`` where the model cannot answer it."""
        row = self._prepared(body)
        found = explain(self._estimator, row, self._scale)
        if not isfinite(found.score):
            raise RuntimeFailed(_("The model did not give a number."))
        by_field = dict.fromkeys(self._names, 0.0)
        for source, contribution in zip(self._sources, found.contributions.tolist(), strict=True):
            by_field[source] += contribution
        return RunResult(output=self._output(found, by_field), units=dict(UNITS))

    def _prepared(self, body: Mapping[str, Any]) -> np.ndarray:
        row: Any = [[_cell(field, body.get(field["name"])) for field in self._fields]]
        if self._is_table:
            import pandas as pd  # only here: the pipeline was fitted on named columns

            row = pd.DataFrame(row, columns=self._names)
        elif any(field["kind"] == "text" for field in self._fields):
            row = np.array(row, dtype=object)
        try:
            for step in self._preparation:
                row = step.transform(row)
            dense = row.toarray() if hasattr(row, "toarray") else np.asarray(row)
            return dense.astype(np.float64)
        except (ValueError, TypeError) as error:
            raise RuntimeFailed(_("The model could not read this input.")) from error

    def _output(self, found: Attribution, by_field: Mapping[str, float]) -> dict[str, Any]:
        decimals = int(self._config.get("decimals", DECIMALS))
        score, base, parts = _on_scale(self._config.get("scorecard"), found, by_field)
        score_text, base_text, part_texts = add_up(score, base, parts, decimals)
        order = sorted(self._fields, key=lambda field: (-abs(Decimal(part_texts[field["name"]])), field["name"]))
        output: dict[str, Any] = {
            "score": score_text,
            "base": base_text,
            "scale": "points" if "scorecard" in self._config else self._scale,
            "reasons": [
                {
                    "field": field["name"],
                    "code": field["code"],
                    "contribution": part_texts[field["name"]],
                    "text": dict(field["text"]),
                }
                for field in order
            ],
        }
        probability = _probability(self._scale, found.score)
        if probability is not None:
            output["probability"] = format(Decimal(repr(probability)).quantize(Decimal("0.000001")), "f")
        return output


def add_up(score: Decimal, base: Decimal, parts: Mapping[str, Decimal], decimals: int) -> tuple[str, str, dict[str, str]]:
    """Rounded score, base and parts that still add up to the last digit: the rest goes by largest remainder, stable
    by name.
    """
    unit = Decimal(1).scaleb(-decimals)
    whole = {name: int((part / unit).to_integral_value(ROUND_HALF_EVEN)) for name, part in parts.items()}
    total = int((score / unit).to_integral_value(ROUND_HALF_EVEN))
    start = int((base / unit).to_integral_value(ROUND_HALF_EVEN))
    rest = total - start - sum(whole.values())
    step = 1 if rest > 0 else -1
    by_remainder = sorted(parts, key=lambda name: (-step * (parts[name] / unit - whole[name]), name))
    for position in range(abs(rest)):
        whole[by_remainder[position % len(by_remainder)]] += step
    return _text(total, unit), _text(start, unit), {name: _text(count, unit) for name, count in whole.items()}


def _text(count: int, unit: Decimal) -> str:
    return format(count * unit, "f")


def _on_scale(
    scorecard: Mapping[str, str] | None, found: Attribution, by_field: Mapping[str, float]
) -> tuple[Decimal, Decimal, dict[str, Decimal]]:
    """Score, base and parts as exact decimals; with a scorecard as points = offset + factor × log-odds."""
    factor = Decimal(scorecard["factor"]) if scorecard else Decimal(1)
    offset = Decimal(scorecard["offset"]) if scorecard else Decimal(0)
    parts = {name: factor * Decimal(value) for name, value in by_field.items()}
    return offset + factor * Decimal(found.score), offset + factor * Decimal(found.base), parts


def _probability(scale: str, score: float) -> float | None:
    if scale == PROBABILITY:
        return score
    if scale == LOG_ODDS:
        return 1 / (1 + exp(-score)) if score >= 0 else exp(score) / (1 + exp(score))
    return None


def _cell(field: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return np.nan if field["kind"] == "number" else None
    return float(value) if field["kind"] == "number" else str(value)


def _split(model: Any) -> tuple[Sequence[Any], Any]:
    """Preparing steps and the estimator. Raises ``ReleaseRefused`` unless the last step is a model of our list."""
    steps = [step for _name, step in model.steps] if type(model).__name__ == "Pipeline" else [model]
    estimator = steps[-1]
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    if kind not in MODEL_TYPES:
        raise refuse_release("/artifact", _("the last step is not a model that can be explained: %s") % kind)
    return steps[:-1], estimator
