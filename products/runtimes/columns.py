"""Which input field each prepared column came from, read from the fitted steps themselves (never from column names)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from products.runtimes.base import refuse_release

_ONE_TO_ONE = {"StandardScaler", "MinMaxScaler", "RobustScaler", "OrdinalEncoder", "FunctionTransformer"}


def column_fields(step: Any, fields: Sequence[str]) -> list[str]:
    """Source field of every column that ``step`` yields from columns that came from ``fields``. Raises
    ``ReleaseRefused``.
    """
    kind = type(step).__name__
    if isinstance(step, str):
        return list(fields) if step == "passthrough" else []
    if kind == "Pipeline":
        for _name, inner in step.steps:
            fields = column_fields(inner, fields)
        return list(fields)
    if kind == "ColumnTransformer":
        return _of_column_transformer(step, fields)
    if kind == "OneHotEncoder":
        return [field for field, count in zip(fields, step._n_features_outs, strict=True) for _i in range(count)]
    if kind == "SimpleImputer":
        return _of_imputer(step, fields)
    if kind in _ONE_TO_ONE:
        return list(fields)
    raise refuse_release("/artifact", _("a %s cannot be a preparing step") % kind)


def _of_column_transformer(step: Any, fields: Sequence[str]) -> list[str]:
    names = [str(name) for name in getattr(step, "feature_names_in_", fields)]
    by_name = dict(zip(names, fields, strict=True))
    found: list[str] = []
    for name, inner, columns in step.transformers_:
        span = step.output_indices_[name]
        if isinstance(inner, str) and inner == "drop":
            continue
        if span.start != len(found):
            raise refuse_release("/artifact", _("the columns of a ColumnTransformer are not in order"))
        found.extend(column_fields(inner, _selected(columns, list(fields), by_name)))
    return found


def _selected(columns: Any, fields: list[str], by_name: dict[str, str]) -> list[str]:
    if isinstance(columns, slice):
        return fields[columns]
    if isinstance(columns, (str, int)):
        columns = [columns]
    chosen = np.asarray(columns)
    if chosen.dtype == bool:
        return [field for field, keep in zip(fields, chosen, strict=True) if keep]
    return [by_name[str(column)] if isinstance(column, str) else fields[column] for column in chosen.tolist()]


def _of_imputer(step: Any, fields: Sequence[str]) -> list[str]:
    if step.add_indicator:
        raise refuse_release("/artifact", _("a SimpleImputer with add_indicator cannot be explained"))
    if step.keep_empty_features:
        return list(fields)
    # The imputer drops columns that were empty when it was fitted.
    kept = [not (isinstance(value, float) and np.isnan(value)) for value in step.statistics_.tolist()]
    return [field for field, keep in zip(fields, kept, strict=True) if keep]
