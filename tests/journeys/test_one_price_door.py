"""One price door: what the shop shows is what the close charges, discounts and all (style.md; decision 0038)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from market.storefront import baskets, bundles, purchase
from pricing.models import Plan, Tariff
from pricing.tariffs.models import Bundle
from products.organisations.models import Organisation
from products.record.models import RuleSet
from settlement.billing.models import Invoice
from settlement.billing.services import close_month
from settlement.entitlements.models import Entitlement
from settlement.metering.record import event_of, record_events
from settlement.payments.models import PaymentIntent
from settlement.verify.run import mismatches
from tests.factories.offers import BEFORE, TARIFF, make_offer

pytestmark = pytest.mark.django_db
KEY, LENDING, CONSUMER = "key_scenario", "small-business-lending", "consumer-credit"
DISCOUNTS = [
    {"reason": KEY, "percent": "30", "components": ["calls"]},
    {"reason": "small_business", "percent": "20", "components": ["calls", "base"]},
]
DOCUMENT = TARIFF | {"discounts": DISCOUNTS}
UNITS = "12345"
# November at 12 345 calls: 10 000 × 0.50 + 2 345 × 0.30 = 5 703.50, and 30 days of the year's 12 000.00 from 20 October.
CASES = [
    ("large", CONSUMER, (), "6689.80"),  # 5 703.50 + 986.30
    ("small", CONSUMER, ("small_business",), "5351.84"),  # 4 562.80 + 789.04
    ("large", LENDING, (KEY,), "4978.75"),  # 3 992.45 + 986.30
    ("small", LENDING, (KEY, "small_business"), "4781.49"),  # the larger of both on the calls: 3 992.45 + 789.04
]


@pytest.fixture
def shop(cast, clock):
    """An offer with discounts, in a city that supports lending to small businesses since 2026."""
    since = date(2026, 1, 1)
    RuleSet.objects.filter(jurisdiction="330200").update(period=DateRange(date(2025, 1, 20), since))
    RuleSet.objects.create(
        jurisdiction="330200",
        name="重点支持场景",
        source="重点支持场景目录（虚构）",
        period=DateRange(since, None),
        parameters={"pricing_delegated_to_city": True, "key_scenarios": [LENDING]},
    )
    return make_offer(cast, clock.now, document=DOCUMENT)


def sized(cast, size: str) -> None:
    Organisation.objects.filter(pk=cast.buyer.organisation.pk).update(size=size)


def buy(cast, clock, scenario: str) -> tuple[baskets.LineView, Entitlement]:
    """Into the basket and paid; the line as it was shown, the right that came of it."""
    membership = cast.buyer.owner.memberships.get()
    offered = Plan.objects.get()
    baskets.basket_add(
        membership=membership,
        product=offered.product,
        plan=offered,
        purpose="industry.finance.pre_loan",
        scenario=scenario,
        expected_units={"calls": UNITS},
        user=cast.buyer.owner,
        at=clock.now,
    )
    (view,) = baskets.baskets_of(organisation=cast.buyer.organisation, at=clock.now)
    accepted = purchase.agreed(membership=membership, view=view)
    begun = {"membership": membership, "basket": view.basket.pk, "user": cast.buyer.owner, "at": clock.now}
    intent = purchase.payment_begin(method=PaymentIntent.Method.TRANSFER, digest=accepted.digest, **begun)
    purchase.payment_settle(intent=intent, at=clock.now, confirmed_by=cast.platform.people["cashier"])
    return view.lines[0], Entitlement.objects.get()


def use_and_close(entitlement: Entitlement, month: date, units: str) -> Invoice:
    """A month's use in one event, and the month closed."""
    moment = datetime.fromisoformat(f"{month:%Y-%m}-25T12:00:00+08:00")
    if Decimal(units):
        release = entitlement.product.releases.get()
        event = event_of(entitlement, units={"calls": units}, time=moment, release=release, request_digest=b"0" * 32)
        record_events([event], at=moment)
    after = date(month.year + month.month // 12, month.month % 12 + 1, 5)
    close_month(month=month, at=datetime.fromisoformat(f"{after}T09:00:00+08:00"))
    return Invoice.objects.get(month=month)


@pytest.mark.parametrize(("size", "scenario", "due", "shown"), CASES)
def test_what_the_basket_showed_is_what_the_close_charges(cast, clock, shop, size, scenario, due, shown):
    sized(cast, size)
    line, entitlement = buy(cast, clock, scenario)
    assert line.price.due == due == tuple(entitlement.discounts)
    assert line.month_total == Decimal(shown)
    begun = use_and_close(entitlement, date(2026, 10, 1), "0")
    assert begun.total * 100 == line.flat_minor  # what was due at checkout, to the fen
    assert use_and_close(entitlement, date(2026, 11, 1), UNITS).total == line.month_total
    assert list(mismatches()) == []


@pytest.mark.parametrize(("size", "scenario", "due", "shown"), CASES)
def test_the_products_page_quotes_the_same(cast, clock, shop, sign_in, size, scenario, due, shown):
    sized(cast, size)
    client = sign_in(cast.buyer.owner)
    answer = client.get(f"/products/credit-pre-loan/price/?units-calls={UNITS}&scenario={scenario}")
    assert answer.context["quote"]["total"] == shown and f"{Decimal(shown):,.2f}" in answer.content.decode()
    assert {cut.discount.reason for cut in answer.context["deductions"]} <= set(due)
    assert "中小微企业" in answer.content.decode()  # deducted with its reason, or named as published for others


def test_a_visitor_is_quoted_the_list_price_and_told_of_the_discounts_and_for_whom(cast, clock, shop, client):
    answer = client.get(f"/products/credit-pre-loan/price/?units-calls={UNITS}&scenario={LENDING}")
    page = answer.content.decode()
    assert answer.context["quote"]["total"] == "6689.80" and answer.context["deductions"] == []
    assert "中小微企业" in page and "30%" in page and "20%" in page and "登录" in page


def test_the_scenario_is_asked_for_where_a_price_hangs_on_it(cast, clock, shop, sign_in):
    sized(cast, "large")
    client = sign_in(cast.buyer.owner)
    assert (
        'name="scenario"' in client.get("/products/credit-pre-loan/").content.decode().split('id="mine"')[1].split("</form>")[0]
    )
    make_offer(cast, clock.now, "plain")
    assert 'id="q-scenario"' not in client.get("/products/plain/").content.decode()


def test_the_basket_and_the_agreement_name_the_discount_and_its_reason(cast, clock, shop):
    sized(cast, "micro")
    line, _entitlement = buy(cast, clock, CONSUMER)
    assert [(cut.discount.reason, cut.amount) for cut in line.deductions] == [
        ("small_business", Decimal("1140.70")),
        ("small_business", Decimal("197.26")),
    ]
    context = line.line.basket.order_set.get().context
    assert "优惠20%" in context.agreement_text and "中小微企业" in context.agreement_text


def test_a_bundle_is_quoted_with_the_discounts_of_who_looks(cast, clock, shop):
    made = Bundle.objects.create(
        operator=cast.operator.organisation,
        code="lending",
        name="小微信贷套餐",
        name_en="Lending bundle",
        purpose="industry.finance",
        scenario=LENDING,
        state="open",
        made_by=cast.operator.owner,
        made_at=clock.now,
    )
    plan = Plan.objects.create(
        product=shop.product, code="b", name="b", purposes=["industry.finance"], bundle=made, created_at=clock.now
    )
    fields = {"version": 1, "digest": "0" * 64, "state": "accepted", "filed_by": cast.operator.owner, "filed_at": BEFORE}
    Tariff.objects.create(plan=plan, document=DOCUMENT, period=shop.tariff.period, **fields)
    sized(cast, "large")
    asked = {"bundle": made, "asked": {f"{plan.pk}-units-calls": UNITS}, "at": clock.now}
    (visitor,) = bundles.part_offers(organisation=None, **asked)
    (buyer,) = bundles.part_offers(organisation=Organisation.objects.get(pk=cast.buyer.organisation.pk), **asked)
    assert (visitor.total, buyer.total) == (Decimal("6689.80"), Decimal("4978.75"))
    assert [cut.amount for cut in buyer.deductions] == [Decimal("1711.05")] and not visitor.deductions
