"""/metrics: a text that Prometheus reads, with what this process did and what the database says of the market."""

import re

import pytest

LINE = re.compile(r'gongshu_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (\+Inf|-?[0-9.e+-]+)\Z')


@pytest.fixture
def told(client):
    client.call()
    client.call(json={"ask": "nonsense"})
    text = client.get("/metrics").text
    return text, {line.rpartition(" ")[0].partition("{")[0]: line for line in text.splitlines() if not line.startswith("#")}


def test_every_line_is_one_that_prometheus_reads(told):
    text, _values = told
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(LINE.match(line) for line in lines), [line for line in lines if not LINE.match(line)]
    named = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert len(named) == sum(line.startswith("# HELP") for line in text.splitlines())


def test_calls_commits_staleness_and_the_market_are_told(told):
    text, values = told
    assert re.search(r'gongshu_answers_total\{worker="\d+",kind="call",status="200",reason=""\} [1-9]', text)
    assert re.search(r'reason="input-refused"\} [1-9]', text)
    assert float(values["gongshu_commit_seconds_count"].split()[-1]) >= 1
    assert float(values["gongshu_staleness_seconds"].split()[-1]) < 2
    for name in ("database_up", "fold_seconds", "jobs_waiting", "jobs_failed", "emergency_stops", "months_late", "stray_events"):
        assert f"gongshu_{name}" in values
