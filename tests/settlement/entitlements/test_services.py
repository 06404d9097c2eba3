"""Opening, moving and ending entitlements; issuing and revoking keys."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from pricing.grants.models import FreeUseGrant
from products.organisations.models import User
from products.record.models import AuditEntry
from settlement.entitlements import keys, services
from settlement.entitlements.models import ApiKey, Quota
from settlement.entitlements.selectors import entitlements_of, keys_alive
from settlement.shares.models import DistributionAgreement
from tests.settlement.stall import START, Stall, make_stall, organisation


@pytest.fixture
def stall(db) -> Stall:
    """A stall whose revenue is all its operator's by agreement, so that it may sell."""
    stall = make_stall()
    DistributionAgreement.objects.create(
        number="DA",
        product=stall.product,
        period=DateRange(date(2026, 1, 1), None),
        parts=[{"organisation": stall.operator.pk, "role": "operator", "rest": True}],
        proposed_by=stall.user,
        approved_by=User.objects.create(email="approver@stall.example", name="Approver"),
        created_at=START,
    )
    return stall


def open_it(stall: Stall, **changes):
    facts = {
        "organisation": stall.buyer,
        "product": stall.product,
        "plan": stall.plan,
        "purposes": ["industry.finance.pre_loan"],
        "scenario": "port",
        "valid_from": START,
        "valid_to": START + timedelta(days=365),
        "at": START,
    }
    return services.entitlement_open(**facts | changes)


def grant_of(stall: Stall, **changes) -> FreeUseGrant:
    facts = {
        "number": "甬免〔2026〕7号",
        "organisation": stall.buyer,
        "product": stall.product,
        "purpose": "welfare.health",
        "scenario": "port",
        "statement": "…",
        "quota_asked": 100,
        "asked_until": date(2026, 12, 31),
        "quota": 100,
        "from_date": date(2026, 10, 1),
        "to_date": date(2026, 12, 31),
        "state": "granted",
        "checked_by": stall.user,
        "created_at": START,
    }
    return FreeUseGrant.objects.create(**facts | changes)


def test_open_takes_operator_and_terms_from_product_and_plan(stall):
    stall.plan.is_prepaid, stall.plan.rate_per_minute = True, 42
    entitlement = open_it(stall, order_number="100001", agreement_digest="a" * 64)
    assert (entitlement.operator, entitlement.is_prepaid, entitlement.rate_per_minute) == (stall.operator, True, 42)
    assert entitlement.anchor_date == date(2026, 10, 20) and entitlement.valid_to == START + timedelta(days=365)
    entry = AuditEntry.objects.get(action="entitlement.open")
    assert entry.facts["code"] == entitlement.code and "cut_from" not in entry.facts


def test_open_cuts_the_end_at_the_authorisations_and_says_so(stall):
    entitlement = open_it(stall, valid_to=START + timedelta(days=2000))
    assert entitlement.valid_to == datetime.fromisoformat("2029-01-01T00:00:00+08:00")
    assert AuditEntry.objects.get(action="entitlement.open").facts["cut_from"] == (START + timedelta(days=2000)).isoformat()


def test_open_refuses_when_the_cut_leaves_nothing(stall):
    late = datetime.fromisoformat("2029-03-01T00:00:00+08:00")
    with pytest.raises(services.EntitlementWithoutTime):
        open_it(stall, valid_from=late, valid_to=late + timedelta(days=9))


@pytest.mark.parametrize("purpose", ["industry.trade", "industry", "welfare", "industry.financed"])
def test_open_refuses_a_purpose_that_plan_or_product_do_not_cover(stall, purpose):
    with pytest.raises(services.PurposeOutsideProduct):
        open_it(stall, purposes=["industry.finance.pre_loan", purpose])


def test_open_refuses_another_scenario(stall):
    with pytest.raises(services.ScenarioOutsideProduct):
        open_it(stall, scenario="elsewhere")


def test_open_under_a_grant_takes_its_quota_and_its_end(stall):
    grant = grant_of(stall)
    entitlement = open_it(stall, plan=None, grant=grant, purposes=["welfare.health"])
    assert entitlement.is_free and entitlement.valid_to == datetime.fromisoformat("2027-01-01T00:00:00+08:00")
    quota = Quota.objects.get(entitlement=entitlement)
    assert (quota.limit, quota.used, quota.span_start) == (100, 0, date(2026, 10, 1))


def test_open_refuses_a_grant_not_granted_or_of_someone_else(stall):
    with pytest.raises(services.GrantNotUsable):
        open_it(stall, plan=None, grant=grant_of(stall, state="decided"), purposes=["welfare.health"])
    other = organisation(99, "nonprofit", "other", user=stall.user)
    with pytest.raises(services.GrantNotUsable):
        open_it(stall, plan=None, grant=grant_of(stall, number="x", organisation=other), purposes=["welfare.health"])


def test_states_move_only_along_their_ways_and_each_move_is_audited(stall):
    entitlement = open_it(stall)
    services.entitlement_suspend(entitlement=entitlement, actor=stall.user, reason="complaint", at=START)
    with pytest.raises(services.EntitlementNotInState):
        services.entitlement_suspend(entitlement=entitlement, actor=stall.user, reason="again", at=START)
    services.entitlement_resume(entitlement=entitlement, actor=stall.user, reason="settled", at=START)
    services.entitlement_mark_overdue(entitlement=entitlement, reason="invoice", at=START)
    services.entitlement_resume(entitlement=entitlement, reason="paid", at=START)
    services.entitlement_end(entitlement=entitlement, reason="over", at=START)
    assert entitlement.state == "ended" and entitlement.ended_at == START
    with pytest.raises(services.EntitlementNotInState):
        services.entitlement_resume(entitlement=entitlement, reason="no", at=START)
    moves = AuditEntry.objects.filter(object_id=str(entitlement.pk)).order_by("id").values_list("action", flat=True)
    assert list(moves)[1:] == [f"entitlement.{s}" for s in ("suspended", "active", "overdue", "active", "ended")]


def test_key_is_shown_once_and_only_its_digest_is_kept(stall):
    key, secret = services.key_issue(entitlement=stall.entitlement, mode="live", name="prod", user=stall.user, at=START)
    assert keys.mode_of(secret) == "live" and bytes(key.digest) == keys.digest(secret)
    assert key.organisation == stall.buyer and key.expires_at == START + timedelta(days=365)
    assert secret not in str(AuditEntry.objects.filter(action="key.issue").values_list("facts"))


def test_third_living_key_is_refused_until_one_is_revoked(stall):
    second, _ = services.key_issue(entitlement=stall.entitlement, mode="live", user=stall.user, at=START)
    with pytest.raises(services.TooManyKeys):
        services.key_issue(entitlement=stall.entitlement, mode="live", user=stall.user, at=START)
    services.key_revoke(key=second, user=stall.user, reason="leaked", at=START)
    services.key_revoke(key=second, user=stall.user, at=START + timedelta(hours=1))
    assert second.revoked_at == START and AuditEntry.objects.filter(action="key.revoke").count() == 1
    services.key_issue(entitlement=stall.entitlement, mode="live", user=stall.user, at=START)
    assert keys_alive(organisation=stall.buyer, entitlement=stall.entitlement, at=START).count() == 2


def test_key_lasts_at_most_a_year(stall):
    for moment in (START + timedelta(days=366), START):
        with pytest.raises(services.KeyTermTooLong):
            services.key_issue(entitlement=stall.entitlement, mode="live", user=stall.user, at=START, expires_at=moment)


def test_sandbox_keys_are_for_everyone_and_usage_keys_for_verified_operators(stall):
    newcomer = organisation(98, "enterprise", "newcomer", state="unverified")
    services.key_issue(organisation=newcomer, mode="test", user=stall.user, at=START)
    services.key_issue(organisation=stall.operator, mode="op", user=stall.user, at=START)
    for wrong in ({"organisation": newcomer, "mode": "op"}, {"organisation": newcomer, "mode": "live"}, {"mode": "test"}):
        with pytest.raises(services.KeyNotAllowed):
            services.key_issue(user=stall.user, at=START, **wrong)
    assert ApiKey.objects.filter(mode="op").count() == 1


def test_list_of_entitlements_takes_a_fixed_number_of_queries(stall, django_assert_num_queries):
    open_it(stall)
    with django_assert_num_queries(2):
        for entitlement in entitlements_of(organisation=stall.buyer):
            assert (
                entitlement.product.name
                and entitlement.operator.name
                and entitlement.plan.name
                and not list(entitlement.quotas.all())
            )
