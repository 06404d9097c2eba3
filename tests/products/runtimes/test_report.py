from datetime import timedelta

import pytest

from products.runtimes import host, report
from products.runtimes.base import InputRefused, ReleaseRefused
from products.runtimes.links import LinkRefused, link_sign, link_verify

CONFIG = {
    "content_type": "application/pdf",
    "filename": "review-2026-q1.pdf",
    "issued_on": "2026-04-20",
    "title": "Review 2026 Q1",
    "link_minutes": 10,
}
PDF = b"%PDF-1.7 made up"


def test_a_call_answers_a_link_that_opens_this_document(make_release, secrets, at):
    release = make_release("report", CONFIG, PDF, code="review")
    loaded = host.load(release, secrets=secrets)
    loaded.check({})
    result = loaded.run({}, at)
    host.Schema(release.output_schema, where="").check(result.output)
    assert result.units == {"products": "1"}
    assert result.output["url"].startswith("/v1/deliveries/")
    token = result.output["url"].rpartition("/")[2]
    delivery = link_verify(key=secrets.link_key, token=token, at=at + timedelta(minutes=9))
    assert (delivery.product_code, delivery.version) == ("review", 1)
    assert delivery.expires_at == at + timedelta(minutes=10)
    assert report.document(release).body == PDF


def test_a_link_ends(secrets, at):
    link = link_sign(key=b"k", product_code="p", version=1, at=at, lasts=timedelta(minutes=5))
    with pytest.raises(LinkRefused) as refusal:
        link_verify(key=b"k", token=link.token, at=at + timedelta(minutes=5))
    assert refusal.value.facts == {"is_expired": True}


def test_a_changed_foreign_or_cut_link_is_refused(at):
    token = link_sign(key=b"k", product_code="p", version=1, at=at, lasts=timedelta(minutes=5)).token
    other = link_sign(key=b"other", product_code="p", version=1, at=at, lasts=timedelta(minutes=5)).token
    changed = ("A" if token[5] != "A" else "B").join([token[:5], token[6:]])
    for bad in (changed, other, token[:-4], token[:8], "", "…", "a" * 5000):
        with pytest.raises(LinkRefused) as refusal:
            link_verify(key=b"k", token=bad, at=at)
        assert refusal.value.facts == {"is_expired": False}


def test_a_document_that_is_not_what_it_says_is_refused(make_release, secrets):
    with pytest.raises(ReleaseRefused, match="/artifact"):
        host.load(make_release("report", CONFIG, b"id,name\n1,raw rows"), secrets=secrets)


@pytest.mark.parametrize("change", [{"filename": "../x.pdf"}, {"content_type": "text/csv"}, {"issued_on": "soon"}])
def test_a_bad_config_is_refused(make_release, secrets, change):
    with pytest.raises(ReleaseRefused, match="/config/"):
        host.load(make_release("report", {**CONFIG, **change}, PDF), secrets=secrets)


def test_an_input_with_fields_is_refused(make_release, secrets):
    with pytest.raises(InputRefused, match="/format"):
        host.load(make_release("report", CONFIG, PDF), secrets=secrets).check({"format": "csv"})
