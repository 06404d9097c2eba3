"""Who may open what: every address × every kind of visitor → the status that is due. Each part of the site adds its rows."""

from __future__ import annotations

import pytest

from tests.factories.cast import Cast
from tests.factories.offers import make_offer

pytestmark = pytest.mark.django_db

PEOPLE = ("visitor", "stranger", "buyer.owner", "buyer.approver", "buyer.developer", "nonprofit.owner", "operator.owner")
PEOPLE += ("authority.owner", "regulator.owner", "auditor.owner", "platform.owner", "platform.cashier")

CLAIMANTS = ("buyer.owner", "buyer.approver", "buyer.developer", "nonprofit.owner")

CONCERNED = ("regulator.owner", "operator.owner", "authority.owner")  # of a permitted revenue; each sees its own only
REVENUE: dict[str, int] = {"all": 403, "visitor": 302} | dict.fromkeys(CONCERNED, 200)

# Where people land who are not named: a visitor at sign-in (302), anyone else at 403. "all" is everybody.
GET_ROWS: dict[str, dict[str, int]] = {
    "/": {"all": 200},
    "/products/": {"all": 200},
    "/products/credit-pre-loan/": {"all": 200},
    "/products/credit-pre-loan/price/": {"all": 200},
    "/products/no-such-product/": {"all": 404},
    "/sign-in/": {"all": 302, "visitor": 200},
    "/notices/": {"all": 200, "visitor": 302},
    "/console/": {"all": 200, "visitor": 302},
    "/basket/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/keys/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/orders/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/invoices/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/receipts/": {"all": 200, "visitor": 302, "stranger": 403},
    "/console/buyer/entitlements/E0000/": {"all": 404, "visitor": 302, "stranger": 403},
    "/console/platform/transfers/": {"all": 403, "visitor": 302, "platform.cashier": 200},
    "/operators/": {"all": 200},
    "/operators/operator/capabilities": {"all": 200},
    "/operators/operator/capabilities.json": {"all": 200},
    "/operators/buyer/capabilities": {"all": 404},
    "/fairness/": {"all": 200},
    "/console/regulator/fairness/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/fairness/flags.csv": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/fairness/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/fairness/refusals/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/operator/supply/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/supply/flags/0/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/supply/refusals/0/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/buyer/refusals/": {"all": 403, "visitor": 302} | dict.fromkeys((*CLAIMANTS, "operator.owner"), 200),
    "/console/buyer/refusals/0/": {"all": 403, "visitor": 302} | dict.fromkeys((*CLAIMANTS, "operator.owner"), 404),
    "/tariffs/": {"all": 200},
    "/tariffs.json": {"all": 200},
    "/tariffs.atom": {"all": 200},
    "/tariffs/operator/": {"all": 200},
    "/tariffs/operator.csv": {"all": 200},
    "/tariffs/operator/credit-pre-loan/": {"all": 200},
    "/tariffs/buyer/": {"all": 404},
    "/authorisations/": {"all": 200},
    "/authorisations/no-such-number/": {"all": 404},
    "/documents/0.pdf": {"all": 404, "visitor": 302},
    "/free-use/": {"all": 200},
    "/free-use/FU-2026-9999/": {"all": 403, "visitor": 302} | dict.fromkeys((*CLAIMANTS, "regulator.owner"), 404),
    "/console/authority/caps/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/caps/new/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/caps/0/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/authority/baskets/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/baskets/0/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/authority/baskets/0/rows.csv": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/authority/baskets/start/0/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/authority/baskets/start/0/rows.csv": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/regulator/caps/sets/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/caps/sets/0/rows.csv": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/authority/free-use/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/free-use/FU-2026-9999/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/regulator/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/cases.csv": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/cases/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/overdue/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/tariffs/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/tariffs/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/caps/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/operator/costs/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/new/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/template.xlsx": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/template.csv": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/rules/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/rules/new/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/costs/0/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/costs/0/file/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/costs/0/ledger.csv": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/costs/preview/00000000-0000-4000-8000-000000000000/": {
        "all": 403,
        "visitor": 302,
        "operator.owner": 404,
    },
    "/console/regulator/costs/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/costs/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/costs/cases/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/costs/0/rows/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/costs/0/file/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/costs/0/ledger.xlsx": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/revenue/": REVENUE,
    "/console/regulator/revenue/reports/": REVENUE,
    "/console/regulator/revenue/0/": REVENUE | dict.fromkeys(CONCERNED, 404),
    "/console/regulator/revenue/warnings/0/": REVENUE | dict.fromkeys(CONCERNED, 404),
    "/console/regulator/revenue/new/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/revenue/new/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/revenue/0/revise/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/operator/revenue/": REVENUE,
    "/console/operator/revenue/reports/": REVENUE,
    "/console/operator/revenue/0/": REVENUE | dict.fromkeys(CONCERNED, 404),
    "/console/authority/revenue/": REVENUE,
    "/console/authority/revenue/reports/": REVENUE,
    "/console/authority/revenue/0/": REVENUE | dict.fromkeys(CONCERNED, 404),
    "/determinations/": {"all": 200},
    "/determinations.json": {"all": 200},
    "/determinations/0/": {"all": 404},
    "/determinations/0.json": {"all": 404},
    "/console/operator/tariffs/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/tariffs/0/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/bundles/": {"all": 200},
    "/bundles/no-such-bundle/": {"all": 404},
    "/bundles/no-such-bundle/price/": {"all": 404},
    "/console/operator/bundles/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/bundles/new/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/bundles/no-such-bundle/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/regulator/affiliates/0/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/operator/tariffs/plans/0/new/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/platform/reviews/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/authorisations/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/authorisations/new/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/registry/": {"all": 403, "visitor": 302},
    "/console/registry/new/": {"all": 403, "visitor": 302},
    "/console/operator/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/products/new/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/products/upload/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/products/no-such-product/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/usage-keys/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/regulator/forecasts/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/forecasts/forecasts.csv": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/comparables/": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/comparables/comparables.csv": {"all": 403, "visitor": 302, "regulator.owner": 200},
    "/console/regulator/forecasts/no-such-product/calls/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/regulator/comparables/no-such-product/": {"all": 403, "visitor": 302, "regulator.owner": 404},
    "/console/authority/forecasts/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/forecasts/forecasts.csv": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/comparables/": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/comparables/comparables.csv": {"all": 403, "visitor": 302, "authority.owner": 200},
    "/console/authority/forecasts/no-such-product/calls/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/authority/comparables/no-such-product/": {"all": 403, "visitor": 302, "authority.owner": 404},
    "/console/operator/forecasts/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/forecasts/forecasts.csv": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/comparables/": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/comparables/comparables.csv": {"all": 403, "visitor": 302, "operator.owner": 200},
    "/console/operator/forecasts/no-such-product/calls/": {"all": 403, "visitor": 302, "operator.owner": 404},
    "/console/operator/comparables/no-such-product/": {"all": 403, "visitor": 302, "operator.owner": 404},
}
WRONG_METHODS = [
    ("post", "/console/operator/costs/"),
    ("get", "/console/operator/costs/problems.csv"),
    ("get", "/console/operator/costs/1/withdraw/"),
    ("post", "/console/regulator/costs/"),
    ("get", "/console/regulator/costs/1/decide/"),
    ("post", "/products/"),
    ("post", "/basket/"),
    ("get", "/basket/add/"),
    ("get", "/language/"),
    ("get", "/acting-for/"),
    ("get", "/sign-out/"),
    ("get", "/payments/webhooks/stripe/"),
    ("get", "/console/buyer/keys/issue/"),
    ("post", "/console/buyer/invoices/"),
    ("post", "/operators/"),
    ("post", "/operators/operator/capabilities.csv"),
    ("post", "/authorisations/"),
    ("post", "/determinations/"),
    ("get", "/console/regulator/revenue/1/open/"),
    ("post", "/console/operator/revenue/"),
    ("post", "/tariffs/"),
    ("post", "/fairness/"),
    ("get", "/console/operator/supply/refusals/1/lift/"),
    ("post", "/console/buyer/refusals/"),
    ("get", "/console/regulator/fairness/1/uphold/"),
    ("get", "/console/organisation/size/"),
    ("post", "/tariffs.json"),
    ("post", "/documents/0.pdf"),
    ("post", "/free-use/"),
    ("get", "/bundles/lending/buy/"),
    ("get", "/console/operator/bundles/lending/open/"),
    ("get", "/console/operator/tariffs/plans/1/preview/"),
    ("get", "/console/regulator/affiliates/1/decide/"),
    ("post", "/console/operator/"),
    ("get", "/console/operator/products/credit-pre-loan/list/"),
    ("get", "/console/authority/authorisations/1/activate/"),
    ("post", "/console/platform/reviews/"),
    ("post", "/console/operator/forecasts/"),
    ("post", "/console/operator/comparables/"),
    ("get", "/console/authority/baskets/1/approve/"),
    ("get", "/console/authority/baskets/1/sum/"),
]


def person(cast: Cast, who: str):
    if who == "stranger":
        return cast.stranger
    party, name = who.split(".")
    return getattr(getattr(cast, party), name)


def test_every_page_answers_each_visitor_with_the_status_that_is_due(cast: Cast, clock, client, sign_in):
    make_offer(cast, clock.now)
    clients = {who: client if who == "visitor" else sign_in(person(cast, who)) for who in PEOPLE}
    found = {(url, who): clients[who].get(url).status_code for url in GET_ROWS for who in PEOPLE}
    due = {(url, who): row.get(who, row["all"]) for url, row in GET_ROWS.items() for who in PEOPLE}
    assert {key: (found[key], due[key]) for key in due if found[key] != due[key]} == {}


@pytest.mark.parametrize(("method", "url"), WRONG_METHODS)
def test_a_wrong_method_is_refused_as_such(cast: Cast, sign_in, method: str, url: str):
    assert getattr(sign_in(cast.buyer.owner), method)(url).status_code == 405
