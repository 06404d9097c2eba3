"""Why a score is what it is: signed contributions per column that add up to score − base, exactly (to float tolerance).

Linear models: coefficient × column, base = intercept; for classifiers on the log-odds scale.
Trees: the change of the node's value along the decision path goes to the column that was split on (Saabas 2014,
"Interpreting random
forests"); base = value at the root. Forests average, boosting sums times the learning rate on top of its prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from products.runtimes.base import refuse_release

LOG_ODDS, PROBABILITY, VALUE = "log_odds", "probability", "value"


@dataclass(frozen=True, slots=True)
class Attribution:
    """``score = base + contributions.sum()``, on ``scale``; one contribution a column that reaches the estimator."""

    scale: str
    score: float
    base: float
    contributions: np.ndarray


def scale_of(estimator: Any) -> str:
    """Scale on which the contributions add up. Raises ``ReleaseRefused`` for what cannot be explained."""
    kind = type(estimator).__name__
    classes = getattr(estimator, "classes_", None)
    if classes is not None and len(classes) != 2:
        raise refuse_release("/artifact", _("a classifier must have exactly two classes"))
    if np.ndim(getattr(estimator, "n_outputs_", 1)) or getattr(estimator, "n_outputs_", 1) != 1:
        raise refuse_release("/artifact", _("a model must have one output"))
    if kind == "SGDClassifier" and estimator.loss != "log_loss":
        raise refuse_release("/artifact", _("an SGDClassifier must be fitted with log_loss"))
    if kind.startswith("GradientBoosting"):
        _check_boosting(estimator)
    if kind in ("LogisticRegression", "SGDClassifier", "GradientBoostingClassifier"):
        return LOG_ODDS
    if classes is not None:
        return PROBABILITY
    return VALUE


def _check_boosting(estimator: Any) -> None:
    # A prior that is itself a model would move with the input, and the base would not be one number.
    prior = estimator.init_
    if not (isinstance(prior, str) and prior == "zero") and type(prior).__name__ not in (
        "DummyClassifier",
        "DummyRegressor",
    ):
        raise refuse_release("/artifact", _("gradient boosting must start from a constant"))
    if type(estimator).__name__ == "GradientBoostingClassifier" and estimator.loss != "log_loss":
        raise refuse_release("/artifact", _("a GradientBoostingClassifier must be fitted with log_loss"))


def explain(estimator: Any, row: np.ndarray, scale: str) -> Attribution:
    """Attribution of one prepared row (shape ``(1, columns)``)."""
    if hasattr(estimator, "coef_"):
        return _linear(estimator, row, scale)
    if type(estimator).__name__.startswith("GradientBoosting"):
        return _boosting(estimator, row, scale)
    return _forest(estimator, row, scale)


def _linear(estimator: Any, row: np.ndarray, scale: str) -> Attribution:
    contributions = np.ravel(estimator.coef_) * row[0]
    base = float(np.ravel(estimator.intercept_)[0]) if np.size(estimator.intercept_) else 0.0
    return Attribution(scale, base + float(contributions.sum()), base, contributions)


def _forest(estimator: Any, row: np.ndarray, scale: str) -> Attribution:
    trees = [member.tree_ for member in getattr(estimator, "estimators_", [estimator])]
    total, base = np.zeros(row.shape[1]), 0.0
    for tree in trees:
        values = _values(tree, scale)
        total += _path(tree, row, values)
        base += float(values[0])
    base, contributions = base / len(trees), total / len(trees)
    return Attribution(scale, base + float(contributions.sum()), base, contributions)


def _boosting(estimator: Any, row: np.ndarray, scale: str) -> Attribution:
    contributions, roots, leaves = np.zeros(row.shape[1]), 0.0, 0.0
    for (member,) in estimator.estimators_:
        values = member.tree_.value[:, 0, 0]
        path = _path(member.tree_, row, values)
        contributions += path
        roots += float(values[0])
        leaves += float(values[0]) + float(path.sum())
    rate = float(estimator.learning_rate)
    raw = estimator.decision_function(row) if scale == LOG_ODDS else estimator.predict(row)
    # The prior is what is left of the model's own raw score: its base is asked for, not recomputed.
    prior = float(np.ravel(raw)[0]) - rate * leaves
    base = prior + rate * roots
    return Attribution(scale, base + rate * float(contributions.sum()), base, rate * contributions)


def _values(tree: Any, scale: str) -> np.ndarray:
    """Value of each node: the share of the second class, or the mean."""
    values = tree.value[:, 0, :]
    return values[:, 1] / values.sum(axis=1) if scale == PROBABILITY else values[:, 0]


def _path(tree: Any, row: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Change of value per column along the row's path. Children come after their parents (``trust``), so sorting
    orders it.
    """
    nodes = np.sort(tree.decision_path(row.astype(np.float32)).indices)
    found = np.zeros(row.shape[1])
    np.add.at(found, tree.feature[nodes[:-1]], np.diff(values[nodes]))
    return found
