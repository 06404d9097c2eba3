"""Scenario 69: personal verification needs consent per call; a withdrawal stops calls from its moment, on every gateway."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from market.gateway.consent import consent_digest, parse, reference_digest
from market.gateway.problems import Problem
from products.catalogue.models import DataProduct
from settlement.entitlements.models import ConsentWithdrawal
from settlement.metering.models import UsageEvent
from tests.market.gateway.conftest import Client
from tests.settlement.stall import START

EVIDENCE = sha256(b"the signed form").hexdigest()
CONSENT = {"Consent": f'ref="CONSENT-2026-0001", sha256="{EVIDENCE}"'}
WITHDRAWALS = "/v1/consents/withdrawals"
transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asking(client) -> Client:
    """A client whose product asks for consent."""
    DataProduct.objects.filter(pk=client.stall.product.pk).update(needs_consent=True)
    return client


def withdraw(client: Client, key: str | None = None, **body: object):
    import requests

    headers = {"Authorization": f"Bearer {key or client.stall.secret}", "Accept-Language": "en"}
    return requests.post(client.server.url + WITHDRAWALS, json=body, headers=headers, timeout=20)


def problem(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


@transactional
def test_scenario_69_without_consent_denied_and_after_withdrawal_denied_everywhere(asking, serve):
    assert problem(asking.call()) == (403, "consent-missing")
    lawful = asking.call(headers=CONSENT)
    assert lawful.status_code == 200
    done = withdraw(asking, reference="CONSENT-2026-0001", note="by letter")
    assert done.status_code == 201 and done.json()["is_new"]
    other = Client(serve(), asking.stall)
    assert [problem(each.call(headers=CONSENT)) for each in (asking, other)] == [(403, "consent-withdrawn")] * 2
    assert asking.call(headers={"Consent": f'ref="CONSENT-2026-0002", sha256="{EVIDENCE}"'}).status_code == 200
    events = UsageEvent.objects.order_by("received_at")
    assert [event.units for event in events] == [{"calls": "1"}] * 2  # the earlier call stays metered
    organisation = asking.stall.buyer.pk
    assert bytes(events[0].consent_digest) == consent_digest(organisation, "CONSENT-2026-0001", EVIDENCE)
    assert asking.get(lawful.json()["receipt"]["url"]).status_code == 200


@transactional
def test_consent_may_stand_in_the_body_and_is_no_part_of_the_products_input(asking):
    given = {"ref": "CONSENT-2026-0001", "sha256": EVIDENCE}
    assert asking.call(json={"ask": "latest", "consent": given}).status_code == 200
    (event,) = UsageEvent.objects.all()
    assert bytes(event.consent_digest) == consent_digest(asking.stall.buyer.pk, "CONSENT-2026-0001", EVIDENCE)
    wrong = asking.call(json={"ask": "latest", "consent": {"ref": "", "sha256": "ABC"}})
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/consent/ref", "/consent/sha256"]
    assert asking.call(json={"ask": "latest", "consent": "yes"}).json()["errors"][0]["pointer"] == "/consent"
    withdraw(asking, reference="CONSENT-2026-0001")
    assert problem(asking.call(json={"ask": "latest", "consent": given})) == (403, "consent-withdrawn")
    _key, sandbox = asking.stall.key_for(None, mode="test")
    assert asking.call(sandbox, json={"ask": "latest", "consent": given}).status_code == 200


@transactional
def test_nothing_personal_is_kept_of_a_consent(asking):
    assert asking.call(headers=CONSENT).status_code == 200
    withdraw(asking, reference="CONSENT-2026-0001")
    [row] = ConsentWithdrawal.objects.values()
    assert bytes(row["reference_digest"]) == reference_digest(asking.stall.buyer.pk, "CONSENT-2026-0001")
    assert "CONSENT-2026-0001" not in str(row) and "CONSENT-2026-0001" not in str(list(UsageEvent.objects.values()))


@transactional
def test_a_withdrawn_consent_is_not_answered_from_an_idempotent_call_either(asking):
    named = CONSENT | {"Idempotency-Key": "case-1"}
    assert asking.call(headers=named).status_code == 200
    withdraw(asking, reference="CONSENT-2026-0001")
    assert problem(asking.call(headers=named)) == (403, "consent-withdrawn")


@transactional
def test_another_organisations_withdrawal_does_not_reach_this_ones_consents(asking):
    other = asking.stall.operator
    ConsentWithdrawal.objects.create(
        organisation=other,
        reference_digest=reference_digest(other.pk, "CONSENT-2026-0001"),
        withdrawn_at=START,
        recorded_at=START,
    )
    assert asking.call(headers=CONSENT).status_code == 200


@transactional
def test_a_withdrawal_is_recorded_once_and_never_in_the_future(asking):
    first = withdraw(asking, reference="A", withdrawn_at=(START - timedelta(days=1)).isoformat())
    again = withdraw(asking, reference="A")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["withdrawn_at"] == first.json()["withdrawn_at"]
    future = withdraw(asking, reference="B", withdrawn_at=(START + timedelta(days=1)).isoformat())
    assert problem(future) == (422, "input-refused") and future.json()["errors"][0]["pointer"] == "/withdrawn_at"
    assert ConsentWithdrawal.objects.count() == 1


@transactional
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/reference"]),
        ({"reference": 'a"b'}, ["/reference"]),
        ({"reference": "张三"}, ["/reference"]),
        ({"reference": " "}, ["/reference"]),
        ({"reference": "A", "withdrawn_at": "yesterday", "who": "me"}, ["/who", "/withdrawn_at"]),
        ({"reference": "A", "withdrawn_at": "2026-10-01T10:00:00"}, ["/withdrawn_at"]),
        ({"reference": "A", "note": 7}, ["/note"]),
    ],
)
def test_a_malformed_withdrawal_names_every_field_at_fault(asking, body, pointers):
    answer = withdraw(asking, **body)
    assert problem(answer) == (422, "input-refused")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


@transactional
def test_only_a_live_key_withdraws(asking):
    _key, secret = asking.stall.key_for(None, mode="test")
    assert problem(withdraw(asking, secret, reference="A")) == (403, "key-mode")


@pytest.mark.parametrize(
    "header",
    [
        "CONSENT-1",
        'ref="CONSENT-1"',
        f'ref="", sha256="{EVIDENCE}"',
        f'ref=" ", sha256="{EVIDENCE}"',
        f'ref="{"x" * 121}", sha256="{EVIDENCE}"',
        f'ref="CONSENT-1", sha256="{EVIDENCE[:-1]}"',
        f'ref="CONSENT-1", sha256="{EVIDENCE.upper()}"',
        f'ref="CONSENT-1", sha256="{EVIDENCE}", name="Zhang San"',
        f'ref="Zhäng", sha256="{EVIDENCE}"',
    ],
)
def test_a_malformed_consent_header_is_refused(header):
    with pytest.raises(Problem) as refused:
        parse(header)
    assert (refused.value.code, refused.value.extra) == ("header-refused", {"header": "Consent"})


def test_the_two_members_of_the_header_come_in_any_order():
    assert (
        parse(f'sha256="{EVIDENCE}",ref="CONSENT-1"')
        == parse(f'ref="CONSENT-1",  sha256="{EVIDENCE}"')
        == ("CONSENT-1", EVIDENCE)
    )
