import random
from datetime import date, datetime

import pytest

from products.runtimes import host, index
from products.runtimes.base import InputRefused, ReleaseRefused

CONFIG = {"series": {"level": {"unit": "2020=100", "label": "Level"}, "yoy": {"unit": "%", "label": "Change"}}}
ROWS = [
    ("level", date(2026, 1, 31), date(2026, 2, 10), "101.2"),
    ("level", date(2026, 1, 31), date(2026, 3, 10), "101.5"),
    ("level", date(2026, 2, 28), date(2026, 3, 10), "102.0"),
    ("level", date(2026, 3, 31), date(2026, 6, 10), "103.0"),
    ("yoy", date(2026, 1, 31), date(2026, 2, 10), "-0.30"),
]


@pytest.fixture
def ask(make_release, secrets, at):
    loaded = host.load(make_release("index", CONFIG, index.pack(ROWS)), secrets=secrets)

    def ask(moment: datetime = at, **body):
        loaded.check(body)
        return loaded.run(body, moment)

    return ask


def points(result):
    return [(p["date"], p["value"], p["vintage"]) for p in result.output["points"]]


def test_latest_is_the_last_value_that_was_known(ask):
    result = ask(ask="latest")
    assert points(result) == [("2026-02-28", "102.0", "2026-03-10")]
    assert result.units == {"calls": "1"}
    assert result.output["unit"] == "2020=100"


def test_a_vintage_answers_what_was_known_that_day(ask):
    assert points(ask(ask="date", date="2026-01-31", vintage="2026-03-09")) == [("2026-01-31", "101.2", "2026-02-10")]
    assert points(ask(ask="date", date="2026-01-31", vintage="2026-03-10")) == [("2026-01-31", "101.5", "2026-03-10")]


def test_a_value_that_is_published_later_is_never_shown_early(ask):
    for body in ({"ask": "date", "date": "2026-03-31"}, {"ask": "date", "date": "2026-03-31", "vintage": "2026-12-31"}):
        with pytest.raises(InputRefused):
            ask(**body)
    assert ask(ask="latest", vintage="2099-01-01").output["as_of"] == "2026-05-10"


def test_the_business_day_begins_at_shanghai_midnight(ask):
    eve = datetime.fromisoformat("2026-06-09T15:59:59+00:00")
    midnight = datetime.fromisoformat("2026-06-09T16:00:00+00:00")
    assert points(ask(eve, ask="latest"))[0][0] == "2026-02-28"
    assert points(ask(midnight, ask="latest"))[0][0] == "2026-03-31"


def test_a_range_holds_both_ends_and_only_what_was_known(ask):
    result = ask(ask="range", **{"from": "2026-01-31", "to": "2026-12-31"})
    assert points(result) == [("2026-01-31", "101.5", "2026-03-10"), ("2026-02-28", "102.0", "2026-03-10")]


def test_another_series_has_its_own_unit(ask):
    result = ask(ask="latest", series="yoy")
    assert (result.output["unit"], points(result)[0][1]) == ("%", "-0.30")


def test_the_output_fits_its_schema(ask):
    host.Schema(index.output_schema(CONFIG), where="").check(ask(ask="latest").output)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ask"),
        ({"ask": "all"}, "/ask"),
        ({"ask": "date"}, "/date"),
        ({"ask": "date", "date": "2026-02-30"}, "/date"),
        ({"ask": "latest", "date": "2026-01-31"}, "/date"),
        ({"ask": "latest", "rows": 5}, "/rows"),
        ({"ask": "latest", "series": "raw"}, "/series"),
        ({"ask": "range", "from": "2026-02-01", "to": "2026-01-01"}, "/to"),
        ({"ask": "range", "from": "2030-01-01", "to": "2031-01-01"}, "/from"),
        ({"ask": "date", "date": "2026-01-30"}, "/date"),
        ({"ask": "latest", "vintage": "2020-01-01"}, "/vintage"),
        ([], ""),
    ],
)
def test_a_wrong_ask_is_refused_at_its_field(make_release, secrets, at, body, pointer):
    loaded = host.load(make_release("index", CONFIG, index.pack(ROWS)), secrets=secrets)
    with pytest.raises(InputRefused) as refusal:
        loaded.check(body)
        loaded.run(body, at)
    assert pointer in [error["pointer"] for error in refusal.value.errors]


def test_a_range_has_a_largest_size(make_release, secrets, at):
    loaded = host.load(make_release("index", {**CONFIG, "max_points": 1}, index.pack(ROWS)), secrets=secrets)
    with pytest.raises(InputRefused, match="/to"):
        loaded.run({"ask": "range", "from": "2026-01-01", "to": "2026-12-31"}, at)


def test_a_loose_product_schema_does_not_open_the_runtime(make_release, secrets):
    release = make_release("index", CONFIG, index.pack(ROWS), input_schema={})
    with pytest.raises(InputRefused):
        host.load(release, secrets=secrets).check({"ask": 7})


def test_the_same_rows_in_any_order_give_the_same_artifact():
    assert index.pack(ROWS) == index.pack(reversed(ROWS))


def test_a_csv_is_packed_and_its_bad_rows_are_named():
    good = b"date,series,value,vintage\n2026-01-31,level,101.20,2026-02-10\n2026-01-31,yoy,1e1,\n"
    assert b"101.20" in index.pack_csv(good, CONFIG)
    with pytest.raises(ReleaseRefused) as refusal:
        index.pack_csv(b"date,value\n2026-01-31,12\n2026-13-01,1\n2026-02-01,n/a\n", CONFIG)
    assert [error["pointer"] for error in refusal.value.errors] == ["/data/3/date", "/data/4/value"]


@pytest.mark.parametrize("artifact", [b"", b"\x80", index.pack([]), index.pack(ROWS[:2])])
def test_an_artifact_that_does_not_fit_the_config_is_refused(make_release, secrets, artifact):
    with pytest.raises(ReleaseRefused):
        host.load(make_release("index", CONFIG, artifact), secrets=secrets)


def test_a_value_given_twice_for_one_vintage_is_refused(make_release, secrets):
    doubled = index.pack([*ROWS, ("level", date(2026, 1, 31), date(2026, 2, 10), "999")])
    with pytest.raises(ReleaseRefused, match="level"):
        host.load(make_release("index", CONFIG, doubled), secrets=secrets)


def test_latest_is_what_a_scan_of_all_days_finds():
    chance = random.Random(4)
    for _ in range(60):
        keys = {(chance.randint(1, 12), chance.randint(1, 30)) for _ in range(chance.randint(1, 20))}
        days, vintages = zip(*sorted(keys), strict=True)
        timeline = index.Timeline(index.Series(list(days), list(vintages), ["1"] * len(keys)))
        for as_of in range(32):
            known = [point for each in range(len(timeline.days)) if (point := timeline.known(each, as_of))]
            assert timeline.latest(as_of) == (known[-1] if known else None)


@pytest.mark.parametrize("asked", [0, -1, 10_001, 10**9, True, "240", 1.5])
def test_a_ceiling_of_points_that_would_keep_others_waiting_is_refused_at_its_field(asked):
    with pytest.raises(ReleaseRefused) as refused:
        index.pack_csv(b"date,value\n2026-01-31,1\n", {"series": {"level": {"unit": "%"}}, "max_points": asked})
    assert [error["pointer"] for error in refused.value.errors] == ["/config/max_points"]
    assert index.pack_csv(b"date,value\n2026-01-31,1\n", {"series": {"level": {"unit": "%"}}, "max_points": 10_000})
