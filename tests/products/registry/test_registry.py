"""What may be offered: scenarios 1, 7 to 12 and 18 of domain.md."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.db import IntegrityError, transaction

from products.models import AuditEntry, Authorisation, Purpose
from products.organisations.selectors import RoleMissing
from products.record import evidence
from products.registry import authorisations, selectors, services
from products.registry.purposes import covers, is_free
from products.registry.rules import renewal_opens, term_end
from tests.factories.ground import CLAUSES, make_authorisation, make_registration, make_resource

PRE_LOAN = ("model", "industry.finance.pre_loan", "small-business-lending")


def noon(day: date) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+08:00")


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        (date(2026, 1, 15), 3, date(2029, 1, 14)),
        (date(2028, 2, 29), 3, date(2031, 2, 27)),
        (date(2028, 2, 29), 4, date(2032, 2, 28)),
        (date(2026, 3, 1), 2, date(2028, 2, 29)),
    ],
)
def test_a_term_ends_on_the_day_before_the_anniversary(start, years, end):
    assert term_end(start, years) == end


@pytest.mark.parametrize(
    ("right", "asked", "expected"),
    [
        ("industry.finance", "industry.finance.pre_loan", True),
        ("industry.finance.pre_loan", "industry.finance.pre_loan", True),
        ("industry.finance.pre_loan", "industry.finance.post_loan", False),
        ("industry.finance.pre_loan", "industry.finance", False),
        ("industry.fin", "industry.finance", False),
        ("industry", "sector", False),
    ],
)
def test_a_right_covers_what_is_below_it_and_no_sibling(right, asked, expected):
    assert covers(right, asked) is expected


def test_governance_and_welfare_are_free():
    assert [is_free(code) for code in ("governance.statistics", "welfare", "industry.finance", "sector")] == [
        True,
        True,
        False,
        False,
    ]


def test_every_purpose_that_is_loaded_has_its_parent(db):
    codes = set(Purpose.objects.values_list("code", flat=True))
    assert all(code.rsplit(".", 1)[0] in codes for code in codes)


@pytest.mark.parametrize(
    "changes",
    [
        {"grade": 4},
        {"grade": 0},
        {"open_type": "unconditional"},
        {"open_type": "unconditional", "has_personal_data": False, "has_security_impact": True},
    ],
)
def test_a_resource_that_contradicts_itself_is_refused(cast, clock, changes):
    with pytest.raises(services.ResourceContradicts):
        make_resource(cast, clock.now, **changes)


@pytest.mark.parametrize("dictionary", [[{"field": "", "meaning": "x"}], [{"field": "a"}], [{"field": "a", "meaning": "x"}] * 2])
def test_a_dictionary_line_needs_a_field_and_a_meaning(cast, clock, dictionary):
    with pytest.raises(services.DictionaryWrong) as refusal:
        make_resource(cast, clock.now, dictionary=dictionary)
    assert refusal.value.facts["line"] == len(dictionary)


def test_only_the_provider_enters_its_resources(cast, clock):
    with pytest.raises(RoleMissing):
        make_resource(cast, clock.now, user=cast.operator.owner)
    make_resource(cast, clock.now)
    with pytest.raises(services.CodeTaken):
        make_resource(cast, clock.now)


def test_a_closed_resource_is_never_authorised(cast, clock):
    closed = make_resource(cast, clock.now, open_type="closed")
    with pytest.raises(authorisations.ResourceClosed):
        make_authorisation(cast, clock.now, scope=[(closed, *PRE_LOAN)])


def test_shared_data_needs_the_consent_of_its_source(cast, clock):
    shared = make_resource(cast, clock.now, provenance="shared")
    with pytest.raises(authorisations.SharedWithoutConsent):
        make_authorisation(cast, clock.now, scope=[(shared, *PRE_LOAN)])
    consent = evidence.keep(
        organisation=cast.provider.organisation,
        user=cast.provider.owner,
        file_name="同意函.pdf",
        content=b"%PDF-1.4",
        purpose="consent",
        at=clock.now,
    )
    shared = make_resource(cast, clock.now, code="R-2", provenance="shared", shared_consent=consent)
    assert make_authorisation(cast, clock.now, scope=[(shared, *PRE_LOAN)]).state == "active"


@pytest.mark.parametrize("since", [date(2025, 12, 31), date(2026, 12, 1)])
def test_an_operation_before_its_authorisation_or_in_the_future_is_refused(cast, clock, since):
    with pytest.raises(authorisations.OperationOutsideTerm):
        make_authorisation(cast, clock.now, operating_since=since, active=False)
    kept = make_authorisation(cast, clock.now, operating_since=date(2026, 2, 1), active=False)
    assert kept.operating_since == date(2026, 2, 1)


def test_a_term_of_five_years_and_a_day_is_refused(cast, clock):
    dates = {"from_date": date(2026, 1, 1), "active": False}
    with pytest.raises(authorisations.TermTooLong) as refusal:
        make_authorisation(cast, clock.now, to_date=date(2031, 1, 1), **dates)
    assert refusal.value.facts["last"] == "2030-12-31"
    assert make_authorisation(cast, clock.now, to_date=date(2030, 12, 31), **dates).state == "draft"
    with pytest.raises(authorisations.TermTooLong):
        make_authorisation(cast, clock.now, number="2", to_date=date(2025, 12, 31), **dates)


def test_the_database_too_refuses_five_years_and_a_day(cast, clock):
    draft = make_authorisation(cast, clock.now, active=False)
    with pytest.raises(IntegrityError, match="authorisation_at_most_five_years"), transaction.atomic():
        Authorisation.objects.filter(pk=draft.pk).update(to_date=date(2031, 1, 1))


@pytest.mark.parametrize("part", CLAUSES)
def test_activation_names_the_part_that_is_missing(cast, clock, part):
    resource = make_resource(cast, clock.now)
    empty = None if part == "decision_date" else " "
    with pytest.raises(authorisations.AuthorisationIncomplete) as refusal:
        make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)], **{part: empty})
    assert refusal.value.facts["missing"] == [part]


def test_activation_lists_everything_that_is_missing_at_once(cast, clock):
    bare = {name: None if name == "decision_date" else "" for name in CLAUSES}
    with pytest.raises(authorisations.AuthorisationIncomplete) as refusal:
        make_authorisation(cast, clock.now, **bare)
    assert refusal.value.facts["missing"] == [*CLAUSES, "scope"]


def test_the_drafter_does_not_activate(cast, clock):
    resource = make_resource(cast, clock.now)
    draft = make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)], active=False)
    with pytest.raises(authorisations.DrafterActivates):
        services.authorisation_activate(authorisation=draft, user=cast.authority.owner, at=clock.now)
    with pytest.raises(RoleMissing):
        services.authorisation_activate(authorisation=draft, user=cast.operator.owner, at=clock.now)
    active = services.authorisation_activate(authorisation=draft, user=cast.authority.checker, at=clock.now)
    assert (active.state, active.activated_by, active.activated_at) == ("active", cast.authority.checker, clock.now)


def test_a_changed_scope_needs_a_new_decision(cast, clock):
    resource = make_resource(cast, clock.now)
    active = make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)])
    with pytest.raises(authorisations.AuthorisationNotDraft):
        services.scope_item_add(
            authorisation=active,
            resource=resource,
            product_type="index",
            purpose="industry.finance",
            scenario="consumer-credit",
            user=cast.authority.owner,
            at=clock.now,
        )
    with pytest.raises(authorisations.AuthorisationNotDraft):
        services.authorisation_update(authorisation=active, user=cast.authority.owner, at=clock.now, exit_clause="无")


def test_a_purpose_or_scenario_that_nobody_knows_is_refused(cast, clock):
    resource = make_resource(cast, clock.now)
    with pytest.raises(authorisations.ScopeUnknown):
        make_authorisation(cast, clock.now, scope=[(resource, "model", "industry.spying", "consumer-credit")])


def test_the_same_resource_may_go_to_two_operators(cast, clock):
    resource = make_resource(cast, clock.now)
    make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)])
    second = make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)], number="2", operator=cast.operator_b.organisation)
    assert second.state == "active"


def test_an_authorisation_is_suspended_resumed_and_ended_with_a_reason(cast, clock):
    resource = make_resource(cast, clock.now)
    held = make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)])
    by = {"authorisation": held, "user": cast.authority.checker, "at": clock.now}
    with pytest.raises(authorisations.AuthorisationStateWrong):
        services.authorisation_suspend(**by, reason=" ")
    services.authorisation_suspend(**by, reason="整改")
    assert not selectors.is_in_force(held, on=date(2026, 10, 20))
    services.authorisation_resume(**by, reason="整改完成")
    assert selectors.is_in_force(held, on=date(2028, 12, 31))
    assert not selectors.is_in_force(held, on=date(2029, 1, 1))
    services.authorisation_end(**by, reason="退出")
    with pytest.raises(authorisations.AuthorisationStateWrong):
        services.authorisation_resume(**by, reason="再来")
    steps = AuditEntry.objects.filter(object_type="products.authorisation").order_by("id").values_list("action", flat=True)
    assert [step.split(".")[1] for step in steps] == ["drafted", "scope_added", "activated", "suspended", "resumed", "ended"]


def test_a_registration_runs_three_years_or_as_long_as_the_authorisation(cast, clock):
    resource = make_resource(cast, clock.now)
    assert make_registration(cast, clock.now, resource).valid_to == date(2029, 1, 14)
    held = make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)])
    cut = make_registration(cast, clock.now, resource, code="DJ-2", authorisation=held)
    assert cut.valid_to == held.to_date
    with pytest.raises(services.RegistrationTermEmpty):
        make_registration(cast, clock.now, resource, code="DJ-3", authorisation=held, issued_date=date(2029, 1, 1))
    with pytest.raises(services.NotARegistry):
        make_registration(cast, clock.now, resource, code="DJ-4", registry=cast.provider.organisation)


def test_renewal_opens_sixty_days_before_the_end_and_closes_with_it(cast, clock):
    registration = make_registration(cast, clock.now, make_resource(cast, clock.now))
    opens = renewal_opens(registration.valid_to, 60)
    renew = {"registration": registration, "user": cast.registry.owner}
    with pytest.raises(services.RenewalTooEarly):
        services.registration_renew(**renew, at=noon(date.fromordinal(opens.toordinal() - 1)))
    with pytest.raises(services.RegistrationExpired):
        services.registration_renew(**renew, at=noon(date.fromordinal(registration.valid_to.toordinal() + 1)))
    assert services.registration_renew(**renew, at=noon(opens)).valid_to == date(2032, 1, 14)


def test_a_cancelled_registration_is_no_longer_in_force(cast, clock):
    resource = make_resource(cast, clock.now)
    registration = make_registration(cast, clock.now, resource)
    assert selectors.registration_of(resource=resource, on=date(2026, 10, 20)) == registration
    assert selectors.registration_of(resource=resource, on=date(2026, 1, 14)) is None
    services.registration_cancel(registration=registration, user=cast.registry.owner, reason="数据灭失", at=clock.now)
    assert selectors.registration_of(resource=resource, on=date(2026, 10, 20)) is None


def test_the_public_list_takes_a_fixed_number_of_queries(cast, clock, django_assert_num_queries):
    resource = make_resource(cast, clock.now)
    for number in ("1", "2", "3"):
        make_authorisation(cast, clock.now, scope=[(resource, *PRE_LOAN)], number=number)
    make_authorisation(cast, clock.now, number="4", active=False)
    with django_assert_num_queries(2):
        shown = [
            (held.number, [item.resource.name for item in held.scope_items.all()]) for held in selectors.authorisations_public()
        ]
    assert len(shown) == 3
