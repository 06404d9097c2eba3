"""Jiangshu's buyers since November 2025: their calls go over the operator's own line and are reported once a day.

Volumes follow the working calendar loosely (a quiet Spring Festival, a busy quarter's end) and grow a little; all made up.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from market.demo.buying import Purchase, buy
from market.demo.founding import Cast
from products.record.clock import day_start
from settlement.billing.rules import next_month
from settlement.entitlements.models import Entitlement
from settlement.metering.record import NewEvent, event_of, record_events

FIRST = date(2025, 11, 1)
SEASON = {1: 0.92, 2: 0.58, 3: 1.12, 4: 1.0, 5: 0.98, 6: 1.1, 7: 1.0, 8: 0.97, 9: 1.1, 10: 0.93, 11: 1.03, 12: 1.14}
GROWTH_A_MONTH = 1.012


@dataclass(frozen=True)
class Regular:
    """A buyer with its usual calls a month, from its first month on."""

    purchase: Purchase
    usual: int
    since: date = FIRST


def _regular(body: str, product: str, plan: str, purpose: str, scenario: str, usual: int, since: date = FIRST) -> Regular:
    purchase = Purchase(body=body, product=product, plan=plan, purpose=purpose, scenario=scenario, calls={since: usual})
    return Regular(purchase, usual, since)


SCORE = ("sme-loan-score", "tiered", "industry.finance.pre_loan", "small-business-lending")
YEARLY = ("sme-loan-score", "two-part", "industry.finance.pre_loan", "small-business-lending")
CHECK = ("enterprise-check", "per-call", "industry.finance", "enterprise-verification")
INDEX = ("employment-index", "monthly", "sector.consulting", "economic-monitoring")
REGULARS = [
    _regular("citybank", *SCORE, 420_000),
    _regular("westbank", *SCORE, 185_000),
    _regular("guarantee", *SCORE, 31_000),
    _regular("leasing", *YEARLY, 52_000, date(2026, 2, 1)),
    _regular("microloan", *SCORE, 9_600),
    _regular("factoring", *SCORE, 4_100, date(2026, 4, 1)),
    _regular("citybank", *CHECK, 96_000),
    _regular("westbank", *CHECK, 41_000),
    _regular("guarantee", *CHECK, 12_500),
    _regular("factoring", *CHECK, 7_800, date(2026, 4, 1)),
    _regular("adviser", *INDEX, 1_450),
    _regular("westbank", "employment-index", "monthly", "industry.finance", "economic-monitoring", 620, date(2026, 3, 1)),
]


@dataclass(frozen=True)
class Running:
    """A regular with its entitlement."""

    regular: Regular
    entitlement: Entitlement

    def calls_on(self, day: date) -> int:
        """Made-up calls of a day: the usual ones by month, growth, weekday and chance."""
        months = (day.year - FIRST.year) * 12 + day.month - FIRST.month
        level = self.regular.usual / 30.4 * SEASON[day.month] * GROWTH_A_MONTH**months
        seed = hashlib.sha256(f"{self.regular.purchase.body}:{self.regular.purchase.product}:{day}".encode()).digest()
        chance = random.Random(seed).uniform(0.85, 1.15)
        return round(level * chance * (1.2 if day.weekday() < 5 else 0.5))


def start(told: Cast, month: date) -> list[Running]:
    """Buy for everybody whose first month this is."""
    found = []
    for regular in REGULARS:
        if regular.since == month:
            bought = buy(told, regular.purchase)
            found.append(Running(regular, bought.entitlement))
    return found


def report_month(running: list[Running], month: date, until: datetime | None = None) -> None:
    """One usage event a day and entitlement, each at eleven in the evening; none after ``until``."""
    days = [month + timedelta(days=n) for n in range((next_month(month) - month).days)]
    events = [
        event
        for day in days
        for each in running
        if (event := _report(each, day)) is not None and (until is None or event.event_time <= until)
    ]
    if events:
        record_events(events, at=events[-1].event_time + timedelta(minutes=20))


def _report(each: Running, day: date) -> NewEvent | None:
    calls = each.calls_on(day)
    if not calls:
        return None
    entitlement = each.entitlement
    return event_of(
        entitlement,
        units={"calls": str(calls)},
        time=day_start(day) + timedelta(hours=23),
        request_digest=hashlib.sha256(f"{entitlement.code}:{day}:{calls}".encode()).digest(),
        source=f"/operators/{entitlement.operator.slug}/line",
        event_id=f"{entitlement.code}-{day:%Y%m%d}",
    )
