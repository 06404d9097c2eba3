"""Which files may become a model: our own fixed list of types, read before anything is built.

skops trusts every scikit-learn estimator and many functions by itself; we do not. The archive's own description is
walked first, and a type or a loader that is not on our list is refused by name. What the list cannot say (the content
of a
tree, which scikit-learn indexes without bounds checks) is proven afterwards, before the first prediction.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from skops.io import loads
from skops.io.exceptions import UntrustedTypesFoundException

from products.runtimes.base import ReleaseRefused, refuse_release

MAX_UNPACKED_BYTES = 256 * 1024 * 1024

MODEL_TYPES = {
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._stochastic_gradient.SGDClassifier",
    "sklearn.linear_model._stochastic_gradient.SGDRegressor",
    "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._coordinate_descent.Lasso",
    "sklearn.linear_model._coordinate_descent.ElasticNet",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeClassifier",
    "sklearn.tree._classes.ExtraTreeRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._gb.GradientBoostingClassifier",
    "sklearn.ensemble._gb.GradientBoostingRegressor",
}
PREPARATION_TYPES = {
    "sklearn.pipeline.Pipeline",
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._data.MinMaxScaler",
    "sklearn.preprocessing._data.RobustScaler",
    "sklearn.preprocessing._encoders.OneHotEncoder",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.impute._base.SimpleImputer",
    # A ColumnTransformer's "passthrough"; a function inside it would need FunctionNode, which is not on LOADERS.
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
}
PART_TYPES = {
    "sklearn.tree._tree.Tree",
    "sklearn.dummy.DummyClassifier",
    "sklearn.dummy.DummyRegressor",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn._loss._loss.CyAbsoluteError",
    "sklearn._loss._loss.CyHuberLoss",
    "sklearn._loss._loss.CyPinballLoss",
    "sklearn._loss._loss.CyExponentialLoss",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss.loss.AbsoluteError",
    "sklearn._loss.loss.HuberLoss",
    "sklearn._loss.loss.PinballLoss",
    "sklearn._loss.loss.ExponentialLoss",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.Interval",
    "sklearn.linear_model._sgd_fast.Hinge",
}
DATA_TYPES = {
    "builtins.dict",
    "builtins.list",
    "builtins.tuple",
    "builtins.set",
    "builtins.slice",
    "builtins.str",
    "builtins.int",
    "builtins.float",
    "builtins.bool",
    "numpy.ndarray",
    "numpy.dtype",
    "numpy.bool",
    "numpy.bool_",
    "numpy.int8",
    "numpy.int32",
    "numpy.int64",
    "numpy.uint8",
    "numpy.uint32",
    "numpy.float32",
    "numpy.float64",
    "numpy.str_",
    "numpy.random.mtrand.RandomState",
}
TRUSTED = frozenset(MODEL_TYPES | PREPARATION_TYPES | PART_TYPES | DATA_TYPES)
LOADERS = frozenset(
    [
        "ObjectNode",
        "TreeNode",
        "LossNode",
        "JsonNode",
        "DictNode",
        "ListNode",
        "TupleNode",
        "SetNode",
        "SliceNode",
        "TypeNode",
        "NdArrayNode",
        "DTypeNode",
        "RandomStateNode",
        "CachedNode",
    ]
)


def load_trusted(data: bytes) -> Any:
    """The estimator in a skops archive. Raises ``ReleaseRefused`` that names each type that is not on our list."""
    names = sorted(_untrusted(_description(data)))
    if names:
        raise refuse_release("/artifact", _("holds types that are not trusted: %s") % ", ".join(names))
    try:
        # numpy refuses object arrays in the archive by itself (allow_pickle is off in skops); nothing else
        # is unpickled.
        model = loads(data, trusted=sorted(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise refuse_release("/artifact", _("holds types that are not trusted: %s") % error) from error
    except Exception as error:
        raise refuse_release("/artifact", _("cannot be rebuilt as a model: %s") % type(error).__name__) from error
    for tree in trees(model):
        _prove_tree(tree)
    return model


def _description(data: bytes) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise refuse_release("/artifact", _("is larger than a model may be when unpacked"))
            return json.loads(archive.read("schema.json"))
    except ReleaseRefused:
        raise
    except Exception as error:  # a damaged archive raises more than zipfile's own errors, zlib's among them
        raise refuse_release("/artifact", _("is not a skops file (a pickle is never read)")) from error


def _untrusted(description: Any) -> set[str]:
    """Names of types and loaders in the description that our lists do not hold."""
    found: set[str] = set()
    pending = [description]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            if "__class__" in node or "__loader__" in node:
                name = f"{node.get('__module__')}.{node.get('__class__')}"
                if name not in TRUSTED:
                    found.add(name)
                if node.get("__loader__", "TypeNode") not in LOADERS:
                    found.add(f"{name} ({node['__loader__']})")
    return found


def trees(model: Any) -> Iterator[Any]:
    """Every tree inside a model, wherever a pipeline or an ensemble holds it."""
    seen: set[int] = set()
    pending = [model]
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, (str, bytes, int, float)) or part is None:
            continue
        seen.add(id(part))
        if type(part).__name__ == "Tree":
            yield part
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, (list, tuple)) or (isinstance(part, np.ndarray) and part.dtype == object):
            pending.extend(part)
        elif hasattr(part, "__dict__"):
            pending.extend(vars(part).values())


def _prove_tree(tree: Any) -> None:
    """Children inside the tree and after their parent, features inside the input: so that a walk ends and stays
    inside.
    """
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    count = tree.node_count
    node = np.arange(count)
    leaf = (left == -1) & (right == -1)
    inner = ~leaf
    sound = (
        count > 0
        and len(left) == count
        and tree.value.shape[0] == count
        and bool(np.all((left[inner] > node[inner]) & (right[inner] > node[inner])))
        and bool(np.all((left[inner] < count) & (right[inner] < count) & (left[inner] != right[inner])))
        and bool(np.all((feature[inner] >= 0) & (feature[inner] < tree.n_features)))
        and bool(np.all(np.isfinite(tree.value)))
    )
    if not sound:
        raise refuse_release("/artifact", _("holds a decision tree that is not sound"))
