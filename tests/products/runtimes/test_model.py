import io
import json
import pickle
import zipfile
from decimal import Decimal

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from products.runtimes.attribution import explain
from products.runtimes.base import ReleaseRefused, RuntimeFailed
from products.runtimes.model import ModelRuntime, add_up
from products.runtimes.schemas import Schema
from products.runtimes.trust import load_trusted

from .conftest import model_config

ESTIMATORS = [
    LogisticRegression(),
    SGDClassifier(loss="log_loss", random_state=1),
    LinearRegression(),
    Ridge(),
    Lasso(alpha=0.01),
    ElasticNet(alpha=0.01),
    DecisionTreeClassifier(max_depth=4),
    DecisionTreeRegressor(max_leaf_nodes=9),
    RandomForestClassifier(7, random_state=1),
    RandomForestRegressor(7, random_state=1),
    ExtraTreesClassifier(7, random_state=1),
    ExtraTreesRegressor(7, random_state=1),
    GradientBoostingClassifier(n_estimators=7),
    GradientBoostingClassifier(n_estimators=7, init="zero"),
    GradientBoostingRegressor(n_estimators=7),
    GradientBoostingRegressor(n_estimators=7, loss="huber"),
]


def bodies(people, count=25):
    frame = people[0].head(count)
    return [{name: value for name, value in row.items() if value == value} for row in frame.to_dict("records")]


def raw_score(pipeline, frame):
    estimator = pipeline[-1]
    if hasattr(estimator, "decision_function"):
        return pipeline.decision_function(frame)
    if hasattr(estimator, "predict_proba"):
        return pipeline.predict_proba(frame)[:, 1]
    return pipeline.predict(frame)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_contributions_add_up_to_the_models_own_score(estimator, fitted, people, make_release, at):
    pipeline = fitted(estimator)
    release = make_release("model", model_config(decimals=6), skops.io.dumps(pipeline), input_schema={})
    model = ModelRuntime(release)
    expected = raw_score(pipeline, people[0].head(25))
    bases = set()
    for body, score in zip(bodies(people), expected, strict=True):
        output = model.run(body, at).output
        Schema(release.output_schema, where="").check(output)
        contributions = [Decimal(reason["contribution"]) for reason in output["reasons"]]
        assert sum(contributions) == Decimal(output["score"]) - Decimal(output["base"])
        assert float(output["score"]) == pytest.approx(score, abs=1e-6)
        bases.add(output["base"])
    assert len(bases) == 1  # the base does not move with the input


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_the_attribution_is_exact_to_float_tolerance(estimator, fitted, people, make_release):
    pipeline = fitted(estimator)
    model = ModelRuntime(make_release("model", model_config(), skops.io.dumps(pipeline)))
    for body, score in zip(bodies(people), raw_score(pipeline, people[0].head(25)), strict=True):
        found = explain(model._estimator, model._prepared(body), model._scale)
        assert found.base + found.contributions.sum() == pytest.approx(score, abs=1e-9)


def test_classifiers_also_answer_the_probability(fitted, people, make_release, at):
    pipeline = fitted(LogisticRegression())
    model = ModelRuntime(make_release("model", model_config(), skops.io.dumps(pipeline)))
    probability = float(model.run(bodies(people)[1], at).output["probability"])
    assert probability == pytest.approx(pipeline.predict_proba(people[0].iloc[[1]])[0, 1], abs=1e-6)


def test_a_field_that_the_model_ignores_contributes_nothing(fitted, people, make_release, at):
    pipeline = fitted(LogisticRegression())
    pipeline[-1].coef_[:] = 0
    pipeline[-1].coef_[0, 0] = 2.0  # months alone
    model = ModelRuntime(make_release("model", model_config(), skops.io.dumps(pipeline)))
    reasons = model.run(bodies(people)[1], at).output["reasons"]
    assert reasons[0]["field"] == "months"
    assert {Decimal(reason["contribution"]) for reason in reasons[1:]} == {Decimal(0)}
    assert reasons[0]["code"] == "R_MONTHS"
    assert set(reasons[0]["text"]) == {"zh", "en"}


def test_one_hot_columns_are_summed_to_their_field(fitted, people, make_release, at):
    pipeline = fitted(LogisticRegression())
    model = ModelRuntime(make_release("model", model_config(decimals=6), skops.io.dumps(pipeline)))
    assert model._sources == ["months", "base", "kind", "kind", "kind", "base_kind", "breaks"]
    body = bodies(people)[1]
    row = model._prepared(body)[0]
    by_hand = (pipeline[-1].coef_[0] * row)[2:5].sum()
    reasons = {reason["field"]: float(reason["contribution"]) for reason in model.run(body, at).output["reasons"]}
    assert reasons["kind"] == pytest.approx(by_hand, abs=1e-6)


def test_a_scorecard_gives_points_that_add_up(fitted, people, make_release, at):
    pipeline = fitted(LogisticRegression())
    config = model_config(decimals=1, scorecard={"offset": "600", "factor": "-28.85"})
    model = ModelRuntime(make_release("model", config, skops.io.dumps(pipeline)))
    output = model.run(bodies(people)[1], at).output
    points = 600 - 28.85 * pipeline.decision_function(people[0].iloc[[1]])[0]
    assert output["scale"] == "points"
    assert float(output["score"]) == pytest.approx(points, abs=0.05)
    total = sum(Decimal(reason["contribution"]) for reason in output["reasons"])
    assert total == Decimal(output["score"]) - Decimal(output["base"])


def test_a_scorecard_needs_log_odds(fitted, make_release):
    config = model_config(scorecard={"offset": "600", "factor": "20"})
    with pytest.raises(ReleaseRefused, match="/config/scorecard"):
        ModelRuntime(make_release("model", config, skops.io.dumps(fitted(Ridge()))))


def test_rounding_gives_the_rest_to_the_largest_remainders():
    parts = {name: Decimal("0.333333") for name in "abc"}
    assert add_up(Decimal("1.00"), Decimal(0), parts, 2) == ("1.00", "0.00", {"a": "0.34", "b": "0.33", "c": "0.33"})
    parts = {"a": Decimal("0.005"), "b": Decimal("0.004")}
    assert add_up(Decimal("-0.004"), Decimal("-0.013"), parts, 2)[2] == {"a": "0.01", "b": "0.00"}


def test_a_model_without_column_names_runs_on_positions(make_release, at):
    random = np.random.default_rng(1)
    rows = random.random((50, 5))
    estimator = LogisticRegression().fit(rows, rows[:, 0] > 0.5)
    config = model_config()
    for field in config["fields"]:
        field["kind"] = "number"
    model = ModelRuntime(make_release("model", config, skops.io.dumps(estimator)))
    body = dict(zip((field["name"] for field in config["fields"]), rows[0].tolist(), strict=True))
    assert float(model.run(body, at).output["score"]) == pytest.approx(estimator.decision_function(rows[:1])[0], abs=1e-4)


def test_a_missing_number_without_imputing_is_the_models_failure_not_a_charge(fitted, people, make_release, at):
    model = ModelRuntime(make_release("model", model_config(), skops.io.dumps(fitted(LogisticRegression())), input_schema={}))
    body = {name: value for name, value in bodies(people)[1].items() if name != "breaks"}
    with pytest.raises(RuntimeFailed):
        model.run(body, at)


# --- trust ---------------------------------------------------------------------------------------------------------


def test_types_outside_our_list_are_refused_by_name(fitted, make_release):
    for estimator, name in [
        (KNeighborsClassifier(3), "KNeighborsClassifier"),
        (HistGradientBoostingClassifier(), "TreePredictor"),
    ]:
        with pytest.raises(ReleaseRefused, match=name):
            ModelRuntime(make_release("model", model_config(), skops.io.dumps(fitted(estimator))))


def test_a_type_that_skops_itself_trusts_is_still_refused(make_release):
    archive = skops.io.dumps(FunctionTransformer(np.sqrt))
    assert skops.io.get_untrusted_types(data=archive) == []
    with pytest.raises(ReleaseRefused, match="sqrt"):
        ModelRuntime(make_release("model", model_config(), archive))


def test_an_archive_damaged_anywhere_is_refused_or_still_a_model(fitted):
    archive, refused = skops.io.dumps(fitted(LogisticRegression()), compression=zipfile.ZIP_DEFLATED), 0
    for place in range(0, len(archive), 23):
        damaged = bytearray(archive)
        damaged[place] ^= 0xFF
        try:
            load_trusted(bytes(damaged))
        except ReleaseRefused:
            refused += 1
    assert refused


def test_a_pickle_is_never_read(make_release, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    with pytest.raises(ReleaseRefused, match="pickle"):
        ModelRuntime(make_release("model", model_config(), pickle.dumps(Bomb())))
    assert not (tmp_path / "touched").exists()


def rewritten(archive: bytes, change) -> bytes:
    """The archive with its description changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "schema.json":
                data = json.dumps(change(json.loads(data))).encode()
            new.writestr(entry, data)
    return out.getvalue()


@pytest.mark.parametrize("loader", ["FunctionNode", "MethodNode", "PartialNode", "OperatorFuncNode", "ObjectNode"])
def test_a_name_smuggled_into_the_description_is_refused(fitted, make_release, loader):
    def smuggle(schema):
        schema["content"]["content"]["extra"] = {
            "__class__": "system", "__module__": "os", "__loader__": loader, "content": {}
        }  # fmt: skip
        return schema

    archive = rewritten(skops.io.dumps(fitted(LogisticRegression())), smuggle)
    with pytest.raises(ReleaseRefused, match=r"os\.system"):
        ModelRuntime(make_release("model", model_config(), archive))


@pytest.mark.parametrize(
    "harm",
    [
        lambda nodes: nodes["left_child"].__setitem__(0, 10_000),
        lambda nodes: nodes["right_child"].__setitem__(0, 0),
        lambda nodes: nodes["feature"].__setitem__(0, 10_000),
        lambda nodes: nodes["feature"].__setitem__(0, -7),
    ],
    ids=["child outside", "child before its parent", "feature outside", "feature negative"],
)
def test_a_tree_that_would_read_outside_memory_is_refused(fitted, make_release, harm):
    pipeline = fitted(DecisionTreeClassifier(max_depth=3))
    tree = pipeline[-1].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    harm(state["nodes"])
    tree.__setstate__(state)
    with pytest.raises(ReleaseRefused, match="not sound"):
        ModelRuntime(make_release("model", model_config(), skops.io.dumps(pipeline)))


def test_a_classifier_of_three_classes_is_refused(people, make_release):
    frame = people[0][["months", "breaks"]]
    estimator = LogisticRegression().fit(frame, np.arange(300) % 3)
    config = {"fields": [field for field in model_config()["fields"] if field["name"] in ("months", "breaks")]}
    with pytest.raises(ReleaseRefused, match="two classes"):
        ModelRuntime(make_release("model", config, skops.io.dumps(estimator)))


def test_boosting_on_top_of_another_model_is_refused(fitted, make_release):
    archive = skops.io.dumps(fitted(GradientBoostingClassifier(n_estimators=2, init=LogisticRegression())))
    with pytest.raises(ReleaseRefused, match="constant"):
        ModelRuntime(make_release("model", model_config(), archive))


def test_fields_in_another_order_are_refused(fitted, make_release):
    config = model_config()
    config["fields"].reverse()
    with pytest.raises(ReleaseRefused, match="/config/fields"):
        ModelRuntime(make_release("model", config, skops.io.dumps(fitted(LogisticRegression()))))
