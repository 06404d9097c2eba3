"""The demo's story, told once into an empty database: a market from September 2025 to November 2026, everything made up.

Every step goes through the services that the pages use, at its own moment. Read ``tell`` from top to bottom.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation

from market.demo import buying, cast, fairness, guarding, pending, regulars, trade
from market.demo.capsets import publish_set
from market.demo.catalogue import OFFERS
from market.demo.costs import file_costs
from market.demo.founding import Cast, found_market, open_record
from market.demo.oversight import leave_to_oversight
from market.demo.permitted import determine_maximum, report_year
from market.demo.trade import at
from pricing.models import PermittedRevenue
from products.organisations.models import User
from products.record import clock
from products.record.clock import day_start
from settlement.billing.rules import next_month
from settlement.billing.services import close_month
from settlement.entitlements.services import key_issue
from settlement.oversight.forecasts import forecasts_make

NOW = at("2026-11-10", "10:00")
DEMO_CONSENT = {"ref": "demo-consent-1", "sha256": "0" * 64}  # of a consent that nobody gave: the people are made up
LAST_MONTHS = [  # month, whether it is over, when it was closed, when its invoices were paid
    (buying.AUGUST, True, "2026-09-04", "2026-09-16"),
    (buying.SEPTEMBER, True, "2026-11-02", "2026-11-06"),
    (buying.OCTOBER, True, "", ""),
    (buying.NOVEMBER, False, "", ""),
]


def is_told() -> bool:
    """Whether this database has the story in it."""
    return User.objects.filter(email=cast.PEOPLE[0].email).exists()


def tell(say: Callable[[str], object]) -> None:
    """Tell the story in one transaction, so that a stop in the middle leaves an empty database."""
    clock.set_to(NOW)
    with translation.override("zh-hans"), transaction.atomic():
        told = found_market(at("2025-09-08"))
        fairness.state_sizes(told, at("2025-09-10"))
        running = first_operator(told)
        other_operators(told)
        bought = buying.buy_all(told)
        for month, is_over, closed, paid in LAST_MONTHS:
            running += regulars.start(told, month)
            regulars.report_month(running, month, until=NOW)
            buying.use_month(told, bought, month, until=None if is_over else NOW)
            if closed:
                close(month, at(closed, "09:30"))
                buying.pay_invoices(month, at(paid), but=told.bodies["bank"].name if month == buying.SEPTEMBER else "")
        pending.leave_work(told)
        leave_to_oversight(told)
        guarding.watch_over(told, bought)
        facts = facts_of(told, bought)
    clock.keep_offset(NOW)
    (settings.DATA_DIR / "demo.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    say(f"Told: {len(facts['api_keys'])} API keys, {len(facts['accounts'])} people to sign in as.")


def close(month: date, moment: datetime) -> None:
    """The close, and what the nightly jobs make of it."""
    close_month(month=month, at=moment)
    forecasts_make(made_from=next_month(month), at=moment)


def first_operator(told: Cast) -> list[regulars.Running]:
    """Jiangshu, in operation since 2024, joins first; its regular buyers use it from November 2025 to July 2026."""
    who = ("jiangshu",)
    open_record(told, who, at("2025-09-18"))
    trade.file_products(told, who, at("2025-09-24"))
    trade.set_prices(told, who, drafted=at("2025-10-09"), filed=at("2025-10-16"), on_sale=regulars.FIRST)
    trade.agree_shares(told, who, regulars.FIRST, at("2025-10-20"))
    trade.list_products(told, who, at("2025-11-01", "08:00"))
    running: list[regulars.Running] = []
    month = regulars.FIRST
    while month < buying.AUGUST:
        running += regulars.start(told, month)
        regulars.report_month(running, month)
        following = next_month(month)
        close(month, day_start(following) + timedelta(days=4, hours=9))
        buying.pay_invoices(month, day_start(following) + timedelta(days=15, hours=10))
        if month in THEN:
            THEN[month](told)
        month = following
    return running


def determine_revenue(told: Cast) -> None:
    """Spring 2026: the costs of 2025 are audited, and the maximum permitted revenue of 2026 is determined from them."""
    report_year(told)
    file_costs(told, times=COSTS)
    determine_maximum(told)


def set_caps(told: Cast) -> None:
    """A set of caps that uses the maximum up, in force from July: the dearer prices are cut to it."""
    permitted = PermittedRevenue.objects.get(authorisation__operator=told.bodies["jiangshu"])
    publish_set(
        told,
        permitted=permitted,
        method="own",
        from_date=date(2026, 7, 1),
        document_no="江数价〔2026〕40号",
        at=at("2026-06-08"),
    )
    fairness.correct_size(told, at("2026-06-19"))


COSTS = Decimal("0.66")  # so that the year's revenue comes near the maximum
THEN = {date(2026, 4, 1): determine_revenue, date(2026, 5, 1): set_caps}  # after the close of that month


def other_operators(told: Cast) -> None:
    """Three more operators from the summer of 2026 on."""
    who = ("haiwan", "yunling", "qinghe")
    open_record(told, who, at("2026-05-28"))
    trade.file_products(told, who, at("2026-06-15"))
    trade.set_prices(told, who, drafted=at("2026-06-22"), filed=at("2026-07-06"), on_sale=buying.AUGUST)
    trade.agree_shares(told, who, buying.AUGUST, at("2026-07-20"))
    trade.list_products(told, who, at("2026-08-01", "08:00"))


def facts_of(told: Cast, bought: list[buying.Bought]) -> dict[str, Any]:
    """What .data/demo.json says: accounts, API keys with bodies that work, usage keys."""
    accounts = {p.account: {"email": p.email, "password": cast.PASSWORD} for p in cast.PEOPLE if p.account in cast.ACCOUNTS}
    samples = {offer.code: offer.sample for offer in OFFERS}
    keys = [
        {
            "product": each.entitlement.product.code,
            "key": each.secret,
            "purpose": each.entitlement.purposes[0],
            "free": each.entitlement.is_free,
            "example": samples[each.entitlement.product.code]
            | ({"consent": DEMO_CONSENT} if each.entitlement.product.needs_consent else {}),
        }
        for each in bought
    ]
    jiangshu = told.bodies["jiangshu"]
    _row, usage_key = key_issue(organisation=jiangshu, mode="op", name="演示", user=told.of("jiangshu"), at=NOW)
    usage = [{"operator": jiangshu.slug, "key": usage_key, "entitlement": bought[0].entitlement.code}]
    ordered = {name: accounts[name] for name in cast.ACCOUNTS}
    return {"url": "http://127.0.0.1:8000", "accounts": ordered, "api_keys": keys, "usage_keys": usage}


def welcome(facts: dict, *, seconds: float) -> str:
    """What `make demo` prints when everything runs."""
    lines = ["", f"公数 Gongshu is at {facts['url']} after {seconds:.0f} s. Everything in it is made up.", ""]
    width = max(len(name) for name in facts["accounts"])
    for name, account in facts["accounts"].items():
        lines.append(f"  {name:<{width}}  {account['email']:<40} {account['password']}")
    lines += ["", "API keys and usage keys: .data/demo.json. Ctrl-C stops everything.", ""]
    return "\n".join(lines)
