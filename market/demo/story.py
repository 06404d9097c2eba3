"""The demo's story, told once into an empty database: a market from May to November 2026, everything made up.

Every step goes through the services that the pages use, at its own moment. Read ``tell`` from top to bottom.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction

from market.demo import buying, cast, pending, trade
from market.demo.catalogue import OFFERS
from market.demo.founding import Cast, found_market, open_record
from market.demo.trade import at
from products.organisations.models import User
from products.record import clock
from settlement.billing.services import close_month
from settlement.entitlements.services import key_issue

NOW = at("2026-11-10", "10:00")


def is_told() -> bool:
    """Whether this database has the story in it."""
    return User.objects.filter(email=cast.PEOPLE[0].email).exists()


def tell(say: Callable[[str], object]) -> None:
    """Tell the story in one transaction, so that a stop in the middle leaves an empty database."""
    clock.set_to(NOW)
    with transaction.atomic():
        told = found_market(at("2026-05-11"))
        open_record(told, at("2026-05-28"))
        trade.file_products(told, at("2026-06-15"))
        trade.set_prices(told, drafted=at("2026-06-22"), filed=at("2026-07-06"))
        trade.agree_shares(told, at("2026-07-20"))
        trade.list_products(told, at("2026-08-01", "08:00"))
        bought = buying.buy_all(told)
        buying.use_month(told, bought, buying.AUGUST)
        close_month(month=buying.AUGUST, at=at("2026-09-04", "09:30"))
        buying.pay_invoices(buying.AUGUST, at("2026-09-16"))
        buying.use_month(told, bought, buying.SEPTEMBER)
        close_month(month=buying.SEPTEMBER, at=at("2026-11-02", "09:30"))
        buying.pay_invoices(buying.SEPTEMBER, at("2026-11-06"), but=told.bodies["bank"].name)
        buying.use_month(told, bought, buying.OCTOBER)
        buying.use_month(told, bought, buying.NOVEMBER, until=NOW)
        pending.leave_work(told)
        facts = facts_of(told, bought)
    clock.keep_offset(NOW)
    (settings.DATA_DIR / "demo.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    say(f"Told: {len(facts['api_keys'])} API keys, {len(facts['accounts'])} people to sign in as.")


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
            "example": samples[each.entitlement.product.code],
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
