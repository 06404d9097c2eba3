import pytest

from products.catalogue.spec import SpecRefused, spec_parse

from .conftest import SPECS

GOOD = (SPECS / "port-logistics-index.yaml").read_text(encoding="utf-8")


def errors(text, folder=SPECS):
    with pytest.raises(SpecRefused) as refusal:
        spec_parse(text, folder=folder)
    return {error["pointer"]: error["message"] for error in refusal.value.errors}


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_spec_of_the_docs_is_a_spec(path):
    spec = spec_parse(path.read_text(encoding="utf-8"), folder=SPECS)
    assert spec.code == path.stem
    assert spec.data or spec.config.get("runtime") == "remote"  # a service of the operator's own keeps its data


def test_there_is_a_worked_spec_of_each_type():
    kinds = {spec_parse(path.read_text(encoding="utf-8"), folder=SPECS).type for path in SPECS.glob("*.yaml")}
    assert kinds == {"index", "verification", "model", "report"}


def test_dates_and_codes_keep_their_spelling():
    spec = spec_parse(GOOD, folder=SPECS)
    assert spec.samples[1]["date"] == "2025-12-31"
    assert spec_parse(GOOD.replace("{ask: latest}", "{ask: no}"), folder=SPECS).samples[0] == {"ask": "no"}


def test_every_fault_is_named_at_its_place():
    found = errors("code: Bad Code\ntype: raw\nrows: all\nname: {zh: 名}\n")
    assert {"/code", "/type", "/rows", "/name/en", "/operator", "/release", "/purposes"} <= set(found)


def test_no_spec_can_ask_for_rows():
    assert "/type" in errors(GOOD.replace("type: index", "type: raw"))
    assert "/type" in errors(GOOD.replace("type: index", "type: rows"))


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: !!python/object/apply:os.system ['true']", "a: &x [*x]"])
def test_what_is_not_a_spec_is_refused(text):
    assert errors(text)


def test_a_key_that_stands_twice_is_refused():
    assert "twice" in errors(GOOD + "\ncode: other\n")[""]


@pytest.mark.parametrize("name", ["../../pyproject.toml", "/etc/passwd", "data/none.csv", "data"])
def test_the_data_file_lies_beside_the_spec(name):
    assert "/release/data" in errors(GOOD.replace("data/port-logistics-index.csv", name))


def test_tariffs_are_handed_on_unread():
    spec = spec_parse(GOOD + '\ntariffs: [{plan: basic, document: {price: "0.50"}}]\n', folder=SPECS)
    assert spec.tariffs == ({"plan": "basic", "document": {"price": "0.50"}},)
