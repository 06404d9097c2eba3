"""Formal caps against the permitted revenue: one product's, and a whole set's through all its steps."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from pricing.models import Cap, CapBasket, CapFiling, Tariff
from pricing.necessity import NecessityMissing
from pricing.reading import DocumentRefused
from pricing.revenue.basket_rows import BasketRowsRefused, NothingToShare
from pricing.revenue.basket_sources import proposals, starting_rows
from pricing.revenue.baskets import (
    BasketDateWrong,
    BasketNotOpen,
    basket_adjust,
    basket_approve,
    basket_draft,
    basket_drop,
    basket_file,
    basket_publish,
    basket_report,
)
from pricing.revenue.cap_tests import CapsAbovePermittedRevenue, VolumeMissing
from pricing.revenue.services import (
    CapInBasket,
    CapNotReported,
    CapOnlyOnTrial,
    CapStepOutOfOrder,
    CapTrialOver,
    SamePerson,
    cap_approve,
    cap_draft,
    cap_publish,
    cap_report,
)
from products.models import AuditEntry, Case, DataProduct, IssuedDocument, Membership, Notice
from products.organisations.selectors import RoleMissing
from products.record import cases
from tests.pricing.market import caps, filed, make_plan, make_product, per_call, published
from tests.pricing.revenue.sets import YEAR, make_products, permit, row, volume

TODAY, NOVEMBER = date(2026, 10, 20), date(2026, 11, 1)


@pytest.fixture
def pair(cast, clock):
    return make_products(cast, clock.now, "credit-score", "risk-check")


@pytest.fixture
def permitted(cast, clock, pair):
    return permit(cast, clock.now, pair[0].authorisation)


def drafted(cast, at, product, cap="1.06", expected="60000", *, user=None, **more):
    document = caps(("calls", cap), start=NOVEMBER)
    return cap_draft(
        product=product, document=document, volumes=[volume(expected)], user=user or cast.authority.owner, at=at, **more
    )


def basket(cast, at, permitted, rows, method="own", start=NOVEMBER):
    return basket_draft(permitted_revenue=permitted, method=method, from_date=start, rows=rows, user=cast.authority.owner, at=at)


def in_force(cast, at, permitted, rows, method="own"):
    made = basket(cast, at, permitted, rows, method)
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=at)
    basket_approve(basket=made, user=cast.authority.checker, at=at)
    basket_report(basket=made, user=cast.authority.owner, at=at)
    return made, basket_publish(basket=made, user=cast.authority.owner, at=at)


# --- One product ----------------------------------------------------------------------------------------------------------------


def test_scenario_31_caps_above_the_permitted_revenue_are_refused_with_the_gap_by_product(cast, clock, pair, permitted):
    first = drafted(cast, clock.now, pair[0])
    cap_approve(filing=first, user=cast.authority.checker, at=clock.now)
    with pytest.raises(CapsAbovePermittedRevenue) as refused:
        drafted(cast, clock.now, pair[1])
    assert refused.value.facts == {
        "net": "120000.00",
        "gap": "20000.00",
        "permitted": "100000.00",
        "products": "credit-score 10000.00、risk-check 10000.00",
    }
    assert not CapFiling.objects.filter(product=pair[1]).exists()
    second = drafted(cast, clock.now, pair[1], expected="40000")
    cap_approve(filing=second, user=cast.authority.checker, at=clock.now)
    assert (second.test["net"], second.test["gap"], second.test["ok"]) == ("100000.00", "0.00", True)
    assert [each["product"] for each in second.test["rows"]] == ["credit-score", "risk-check"]


def test_two_drafts_that_pass_alone_do_not_both_get_approved(cast, clock, pair, permitted):
    first, second = (drafted(cast, clock.now, product) for product in pair)
    cap_approve(filing=first, user=cast.authority.checker, at=clock.now)
    with pytest.raises(CapsAbovePermittedRevenue):
        cap_approve(filing=second, user=cast.authority.checker, at=clock.now)
    second.refresh_from_db()
    assert (second.state, second.test) == ("draft", {})


def test_scenario_32_the_capacity_floor_is_applied_and_shown(cast, clock, pair, permitted):
    document = caps(("calls", "1.00"), start=NOVEMBER)
    filing = cap_draft(
        product=pair[0],
        document=document,
        volumes=[volume("5000", capacity="100000")],
        user=cast.authority.owner,
        at=clock.now,
    )
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    (line,) = filing.test["rows"]
    assert (line["expected"], line["capacity"], line["used"], line["floor"]) == ("5000", "100000", "65000", True)
    assert (filing.test["capacity_floor"], line["net"]) == ("0.65", "61320.75")
    with pytest.raises(CapsAbovePermittedRevenue):
        cap_draft(
            product=pair[1],
            document=document,
            volumes=[volume("1", capacity="100000")],
            user=cast.authority.owner,
            at=clock.now,
        )


def test_a_product_on_trial_has_no_test_and_is_marked(cast, clock, pair):
    filing = cap_draft(product=pair[0], document=caps(("calls", "9"), start=NOVEMBER), user=cast.authority.owner, at=clock.now)
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    assert (filing.is_trial, filing.permitted_revenue, filing.test) == (True, None, {})
    with pytest.raises(CapOnlyOnTrial):
        drafted(cast, clock.now, pair[0], is_trial=False)


def test_with_a_determined_permitted_revenue_caps_are_formal_and_need_volumes(cast, clock, pair, permitted):
    with pytest.raises(CapTrialOver):
        drafted(cast, clock.now, pair[0], is_trial=True)
    for volumes in ([], [volume("0")], [volume("0", capacity="0")]):
        with pytest.raises(VolumeMissing):
            cap_draft(
                product=pair[0],
                document=caps(("calls", "1"), start=NOVEMBER),
                volumes=volumes,
                user=cast.authority.owner,
                at=clock.now,
            )
    early = cap_draft(product=pair[0], document=caps(("calls", "1"), start=TODAY), user=cast.authority.owner, at=clock.now)
    assert early.is_trial


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (volume("-1"), "/0/expected"),
        (volume("0.1234567"), "/0/expected"),
        (volume("12", basis="records"), "/0/basis"),
        (volume("12", capacity="viel"), "/0/capacity"),
        ({"basis": "calls"}, "/0/expected"),
        ("calls", "/0"),
    ],
)
def test_a_wrong_volume_is_refused_where_it_stands(cast, clock, pair, permitted, wrong, where):
    with pytest.raises(DocumentRefused) as refused:
        cap_draft(
            product=pair[0],
            document=caps(("calls", "1"), start=NOVEMBER),
            volumes=[wrong],
            user=cast.authority.owner,
            at=clock.now,
        )
    assert refused.value.problems[0].pointer == where
    assert not CapFiling.objects.exists()


def test_without_a_statement_of_necessity_only_free_use_is_open(cast, clock):
    product = make_product(cast, clock.now)
    published(cast, product, caps(("calls", "0.5"), start=TODAY), clock.now)
    plan = make_plan(cast, product, clock.now)
    DataProduct.objects.filter(pk=product.pk).update(necessity="  ")
    product.refresh_from_db()
    plan.product = product
    with pytest.raises(NecessityMissing, match="R63"):
        cap_draft(product=product, document=caps(("calls", "0.5"), start=NOVEMBER), user=cast.authority.owner, at=clock.now)
    with pytest.raises(NecessityMissing):
        make_plan(cast, product, clock.now, code="second")
    with pytest.raises(NecessityMissing):
        filed(cast, plan, per_call(), NOVEMBER, clock.now)


def test_the_report_is_a_numbered_document_that_both_offices_may_open(cast, clock, pair, permitted):
    filing = drafted(cast, clock.now, pair[0])
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    cap_report(filing=filing, user=cast.authority.owner, at=clock.now)
    document = IssuedDocument.objects.get()
    assert (filing.report_document, filing.report_no) == (document, document.number)
    assert set(document.readers.values_list("kind", flat=True)) == {"price_regulator", "data_bureau"}
    assert "63600.00" in str(document.content)
    assert bytes(document.pdf).startswith(b"%PDF")
    with pytest.raises(CapStepOutOfOrder):
        cap_report(filing=filing, user=cast.authority.owner, at=clock.now)
    assert IssuedDocument.objects.count() == 1


def test_formal_caps_end_a_products_trial_and_its_part_of_the_case(cast, clock, pair, permitted):
    case = cases.open_case(
        kind="trial_to_formal",
        obj=permitted.authorisation,
        applicant=cast.operator.organisation,
        handler=cast.authority.organisation,
        limit_days=60,
        at=clock.now,
        actor=None,
    )
    for product in pair:
        filing = drafted(cast, clock.now, product, expected="40000")
        cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
        cap_report(filing=filing, report_no="甬数报〔2026〕7号", user=cast.authority.owner, at=clock.now)
        assert Case.objects.get(pk=case.pk).state == "open"
        cap_publish(filing=filing, user=cast.authority.owner, at=clock.now)
        product.refresh_from_db()
        assert product.regime == "guided"
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("closed", "formal")
    assert [event.kind for event in case.events.order_by("id")] == ["opened", "note", "closed"]


def test_what_was_tested_stays(cast, clock, pair, permitted):
    filing = drafted(cast, clock.now, pair[0])
    with pytest.raises(IntegrityError, match="keeps its volumes"), transaction.atomic():
        CapFiling.objects.filter(pk=filing.pk).update(volumes=[])
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    with pytest.raises(IntegrityError, match="test of an approved filing stays"), transaction.atomic():
        CapFiling.objects.filter(pk=filing.pk).update(test={})


def test_trial_caps_that_run_on_are_named_not_counted(cast, clock, pair, permitted):
    published(cast, pair[1], caps(("calls", "5"), start=TODAY), clock.now)
    filing = drafted(cast, clock.now, pair[0], expected="100000")
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    assert (filing.test["uncounted"], filing.test["net"]) == (["risk-check"], "100000.00")


def test_the_dearest_day_of_the_period_counts(cast, clock, pair, permitted):
    later = caps(("calls", "2.00"), start=date(2027, 3, 1))
    filing = cap_draft(product=pair[1], document=later, volumes=[volume("30000")], user=cast.authority.owner, at=clock.now)
    cap_approve(filing=filing, user=cast.authority.checker, at=clock.now)
    drafted(cast, clock.now, pair[0], expected="43000")
    with pytest.raises(CapsAbovePermittedRevenue):  # alone in November it would pass
        drafted(cast, clock.now, pair[0], expected="44000")


# --- A set ----------------------------------------------------------------------------------------------------------------------


def test_scenario_40_a_set_goes_through_its_steps_by_two_people_and_not_past_the_report(cast, clock, pair, permitted):
    owner, checker = cast.authority.owner, cast.authority.checker
    made = basket(cast, clock.now, permitted, [row(pair[0], "2.00"), row(pair[1], "3.00")])
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=owner, at=clock.now)
    assert made.filings.count() == 2
    with pytest.raises(SamePerson):
        basket_approve(basket=made, user=owner, at=clock.now)
    with pytest.raises(CapInBasket):
        cap_approve(filing=made.filings.first(), user=checker, at=clock.now)
    basket_approve(basket=made, user=checker, at=clock.now)
    with pytest.raises(CapNotReported):
        basket_publish(basket=made, user=owner, at=clock.now)
    with pytest.raises(IntegrityError, match="not_reported_not_published"), transaction.atomic():
        CapBasket.objects.filter(pk=made.pk).update(state="published", published_at=clock.now)
    basket_report(basket=made, user=owner, at=clock.now)
    document = IssuedDocument.objects.get()
    assert all(word in str(document.content) for word in ("18867.92", "28301.89", "贷前信用分", "产品 risk-check", "3.00"))
    told = Notice.objects.filter(kind="caps.set_reported").values_list("user__memberships__organisation__kind", flat=True)
    assert set(told) == {"price_regulator", "data_bureau"}
    done = basket_publish(basket=made, user=owner, at=clock.now)
    assert [cap.amount for each in done for cap in each.caps] == [Decimal("2"), Decimal("3")]
    assert set(made.filings.values_list("state", "report_no")) == {("published", document.number)}
    assert set(DataProduct.objects.values_list("regime", flat=True)) == {"guided"}
    with pytest.raises(CapNotReported):
        basket_publish(basket=made, user=owner, at=clock.now)


def test_the_three_ways_stand_side_by_side_and_none_exceeds_the_maximum(cast, clock, pair, permitted):
    rows = [row(pair[0], cost_share="60000", elasticity="0.4"), row(pair[1], cost_share="20000", elasticity="2", expected="5000")]
    found = proposals(permitted=permitted, rows=[_row(each) for each in rows], start=NOVEMBER)
    assert [proposal.method for proposal in found] == ["cost", "usage", "welfare"]
    assert [[each.cap for each in proposal.rows] for proposal in found] == [
        ["7.95", "5.30"],
        ["7.066666", "7.066666"],
        ["8.475905", "4.248188"],  # Ramsey number 0.116844: (8.475905 − 6) ÷ 8.475905 × 0.4 = (4.248188 − 4) ÷ 4.248188 × 2,
    ]
    for proposal in found:
        assert proposal.tested.result.is_within
        assert proposal.tested.result.net_minor > 100_000_00 - 100


def _row(raw):
    from pricing.revenue.basket_rows import BasketRow

    return BasketRow(**{name: value for name, value in raw.items() if value})


def test_a_set_starts_from_the_caps_in_force_and_the_last_volumes(cast, clock, pair, permitted):
    in_force(cast, clock.now, permitted, [row(pair[0], "2.00", expected="7000", capacity="9000"), row(pair[1], "1.00")])
    found = starting_rows(permitted=permitted, on=NOVEMBER)
    assert [(each.product, each.before, each.expected, each.capacity) for each in found] == [
        ("credit-score", "2.00", "7000", "9000"),
        ("risk-check", "1.00", "10000", ""),
    ]
    with pytest.raises(NothingToShare):
        basket(cast, clock.now, permitted, [row(pair[0])], method="cost")


def test_a_set_above_the_maximum_may_be_drafted_but_not_filed(cast, clock, pair, permitted):
    made = basket(cast, clock.now, permitted, [row(pair[0], "9.00"), row(pair[1], "9.00")])
    assert (made.test["ok"], made.test["gap"]) == (False, "69811.33")
    with pytest.raises(CapsAbovePermittedRevenue, match=r"69811\.33"):
        basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=clock.now)
    assert (CapBasket.objects.get().state, CapFiling.objects.count()) == ("draft", 0)
    basket_adjust(basket=made, rows=[row(pair[0], "5.00"), row(pair[1], "5.00")], user=cast.authority.checker, at=clock.now)
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.checker, at=clock.now)
    with pytest.raises(BasketNotOpen):
        basket_adjust(basket=made, rows=[row(pair[0], "4.00")], user=cast.authority.owner, at=clock.now)
    with pytest.raises(SamePerson):  # who began the set does not approve it either
        basket_approve(basket=made, user=cast.authority.owner, at=clock.now)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product": "nobody"}, "product"),
        ({"purpose_class": "welfare"}, "purpose_class"),
        ({"purpose_class": "sector"}, "purpose_class"),
        ({"basis": "hours"}, "basis"),
        ({"basis": "periods"}, "flat_period"),
        ({"flat_period": "year"}, "flat_period"),
        ({"cap": "-0.5"}, "cap"),
        ({"cap": "0.1234567"}, "cap"),
        ({"cap": ""}, "cap"),
        ({"cap": "1e3"}, "cap"),
        ({"basis": "periods", "flat_period": "year", "cap": "10.005"}, "cap"),
        ({"expected": ""}, "expected"),
        ({"expected": "many"}, "expected"),
        ({"elasticity": "0"}, "elasticity"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number_and_field(cast, clock, pair, permitted, change, field):
    with pytest.raises(BasketRowsRefused) as refused:
        basket(cast, clock.now, permitted, [row(pair[1], "1.00"), row(pair[0], "1.00") | change])
    assert [(problem.row, problem.field) for problem in refused.value.problems] == [(2, field)]
    assert not CapBasket.objects.exists()


def test_rows_of_others_are_refused(cast, clock, pair, permitted):
    other = make_product(cast, clock.now, code="foreign")
    DataProduct.objects.filter(pk=pair[1].pk).update(necessity="")
    with pytest.raises(BasketRowsRefused) as refused:
        basket(cast, clock.now, permitted, [row(other, "1"), row(pair[1], "1"), row(pair[0], "1"), row(pair[0], "2")])
    assert [problem.row for problem in refused.value.problems] == [1, 2, 4]
    with pytest.raises(BasketRowsRefused):
        basket(cast, clock.now, permitted, [])


def test_a_set_begins_in_the_period_and_not_in_the_past(cast, clock, pair, permitted):
    for start in (date(2026, 10, 19), date(2026, 10, 31), YEAR[1]):
        with pytest.raises(BasketDateWrong):
            basket(cast, clock.now, permitted, [row(pair[0], "1")], start=start)
    permitted.state = "draft"
    with pytest.raises(BasketNotOpen):
        basket(cast, clock.now, permitted, [row(pair[0], "1")])


def test_only_the_authorising_body_makes_sets(cast, clock, pair, permitted):
    for person in (cast.operator.owner, cast.regulator.decider, cast.data_bureau.owner, cast.stranger):
        with pytest.raises(RoleMissing):
            basket_draft(
                permitted_revenue=permitted,
                method="own",
                from_date=NOVEMBER,
                rows=[row(pair[0], "1")],
                user=person,
                at=clock.now,
            )


def test_scenario_37_a_set_cuts_running_tariffs_and_a_dropped_one_does_nothing(cast, clock, pair, permitted):
    published(cast, pair[0], caps(("calls", "2.50"), start=TODAY), clock.now)
    plan = make_plan(cast, pair[0], clock.now)
    running = filed(cast, plan, per_call("2.40"), TODAY, clock.now)
    made = basket(cast, clock.now, permitted, [row(pair[0], "1.00")])
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=clock.now)
    basket_drop(basket=made, reason="另行测算", user=cast.authority.owner, at=clock.now)
    assert (made.state, made.filings.get().state, Tariff.objects.count()) == ("dropped", "withdrawn", 1)
    with pytest.raises(CapStepOutOfOrder):
        basket_approve(basket=made, user=cast.authority.checker, at=clock.now)
    _made, done = in_force(cast, clock.now, permitted, [row(pair[0], "2.20")])
    assert [cut.clamped_from for each in done for cut in each.clamped] == [running]
    assert Cap.objects.filter(product=pair[0], period__contains=NOVEMBER).get().amount == Decimal("2.20")
    assert AuditEntry.objects.filter(action="caps.set_published").count() == 1


def test_a_filed_set_keeps_its_figures(cast, clock, pair, permitted):
    made = basket(cast, clock.now, permitted, [row(pair[0], "1.00")])
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=clock.now)
    kept = CapBasket.objects.filter(pk=made.pk)
    with pytest.raises(IntegrityError, match="keeps its content"), transaction.atomic():
        kept.update(rows=[])
    with pytest.raises(IntegrityError, match="by_two_people"), transaction.atomic():
        kept.update(approved_by=cast.authority.owner)
    other = basket(cast, clock.now, permitted, [row(pair[1], "1.00")])
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        CapBasket.objects.filter(pk=other.pk).delete()


@pytest.mark.parametrize("maker", ["pricing", "decider", "approver"])
@pytest.mark.parametrize("checker", ["pricing", "decider", "approver"])
def test_who_drafts_does_not_approve_whatever_their_roles(cast, clock, pair, permitted, maker, checker):
    Membership.objects.filter(user=cast.authority.owner).update(roles=[maker, checker])
    Membership.objects.filter(user=cast.authority.checker).update(roles=[checker])
    filing = drafted(cast, clock.now, pair[0], cap="1.00", expected="1000")
    made = basket(cast, clock.now, permitted, [row(pair[1], "1.00")])
    basket_file(basket=made, document_no="甬发改价〔2026〕9号", user=cast.authority.owner, at=clock.now)
    with pytest.raises(SamePerson):
        cap_approve(filing=filing, user=cast.authority.owner, at=clock.now)
    with pytest.raises(SamePerson):
        basket_approve(basket=made, user=cast.authority.owner, at=clock.now)
    assert cap_approve(filing=filing, user=cast.authority.checker, at=clock.now).state == "approved"
    assert basket_approve(basket=made, user=cast.authority.checker, at=clock.now).state == "approved"
