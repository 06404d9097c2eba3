"""A prepaid balance as a hard limit: what deposits no longer cover is refused inside the commit, to the fen that the close draws.

A wallet is a buyer with an operator. The close draws its deposits for all that the two have open, flat prices, minimum, discounts
and VAT included, so all of it is set against them here, priced by the close's own rules: ``Wallet`` is pure, ``Balances`` locks
and reads it inside the recording transaction. Only events of prepaid entitlements pay for that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from pricing.documents import parse_tariff
from pricing.rules import Tariff
from pricing.rules.periods import anniversary
from products.record.clock import day_start
from products.record.refusals import Refused
from settlement.billing.rules import next_month, rate_month
from settlement.billing.usage import Holder, Slice, TariffBook, Version, Work, segments_of, span_start
from settlement.metering.events import Status
from settlement.metering.items import Item, Statement, Steps
from settlement.metering.rules import business_day, month_of

MICRO = 10**6
SPANS = ("year", "term")


class Use(NamedTuple):
    """Where units count: what the close groups by (``billing_usage.sql``), and the month that bills them."""

    holder: int
    service_month: date
    book_month: date
    tariff: int | None
    is_past_anniversary: bool


@dataclass(slots=True)
class Wallet:
    """What a buyer deposited with an operator (fen), its rights there, and the use of open months in millionths."""

    deposits_minor: int
    months: list[date]
    holders: dict[int, Holder]
    book: TariffBook
    used: dict[Use, dict[str, int]]
    before: dict[tuple[int, date, date], dict[str, int]] = field(default_factory=dict)
    _totals: dict[int, dict[date, int] | None] = field(default_factory=dict)

    @property
    def left_minor(self) -> int | None:
        """Fen of deposits that no use speaks for; below 0 where it speaks for more, None where a part of it has no price."""
        spoken = self._spoken()
        return None if spoken is None else self.deposits_minor - spoken

    def covers(self, uses: Iterable[tuple[Use, Mapping[str, int]]]) -> bool:
        """Whether deposits cover all that is open with these uses beside it."""
        return self._covered(list(uses)) is not None

    def spend(self, use: Use, units: Mapping[str, int], sign: int = 1) -> None:
        """Count a use (or, with ``sign`` −1, take it back)."""
        counted = self.used.setdefault(use, {})
        for component, amount in units.items():
            counted[component] = counted.get(component, 0) + sign * amount
        if not any(counted.values()):
            del self.used[use]
        for (holder, service, start), known in self.before.items():
            if holder == use.holder and start <= use.service_month < service and use.book_month <= service:
                for component, amount in units.items():
                    known[component] = known.get(component, 0) + sign * amount
        self._totals.pop(use.holder, None)

    def use_of(self, holder: int, moment: datetime) -> Use:
        """Where units used at a moment count. A month that is closed is billed by the first one that is open."""
        right, day, month = self.holders[holder], business_day(moment), month_of(moment)
        versions = self.book.by_plan.get(right.plan_id or 0, ())
        tariff = next((v.id for v in versions if v.start <= day and (v.end is None or day < v.end)), None)
        is_past = day >= anniversary(right.anchor_date, month.year - right.anchor_date.year)
        return Use(holder, month, max(month, self.months[0]), tariff, is_past)

    def spans(self) -> list[tuple[int, date, date]]:
        """(entitlement, service month, first day) of counters over a year or the term that began before a month to be billed."""
        services = set(self.months) | {use.service_month for use in self.used}
        found = set()
        for holder in self.holders.values():
            versions = self.book.by_plan.get(holder.plan_id or 0, ())
            overs = {component.counts_over for version in versions for component in version.terms.components}
            for service in services:
                for over in overs.intersection(SPANS):
                    start = span_start(over, Work(holder, service, []))
                    if start is not None and start < service:
                        found.add((holder.id, service, start))
        return sorted(found)

    def _covered(self, uses: Sequence[tuple[Use, Mapping[str, int]]]) -> int | None:
        """Fen that are left once the uses are counted; None where that is less than nothing. Changes nothing."""
        if any(use.tariff is None for use, _units in uses):
            return None
        for use, units in uses:
            self.spend(use, units)
        spoken = self._spoken()
        for use, units in uses:
            self.spend(use, units, -1)
        return None if spoken is None or spoken > self.deposits_minor else self.deposits_minor - spoken

    def _spoken(self) -> int | None:
        """Fen that the closes of the open months will draw; None where one of them could not price its use."""
        months: dict[date, int] = defaultdict(int)
        for number, holder in self.holders.items():
            if number not in self._totals:
                self._totals[number] = self._bill(holder)
            totals = self._totals[number]
            if totals is None:
                return None
            for month, total in totals.items():
                months[month] += total
        return sum(max(0, total) for total in months.values())

    def _bill(self, holder: Holder) -> dict[date, int] | None:
        """Fen by billing month of one entitlement, late use of closed months included."""
        uses = {use: units for use, units in self.used.items() if use.holder == holder.id}
        try:
            return {month: sum(map(self._total, self._works(holder, month, uses))) for month in self.months}
        except Refused:
            return None

    def _works(self, holder: Holder, month: date, uses: Mapping[Use, dict[str, int]]) -> list[tuple[Work, bool]]:
        """The works that the close of a month would gather for an entitlement, each with whether it is late."""
        works = {use.service_month: Work(holder, use.service_month, []) for use in uses if use.book_month == month}
        if _runs_in(holder, month):
            works.setdefault(month, Work(holder, month, []))
        slices: dict[tuple[date, int | None, bool], Slice] = {}
        for use, units in uses.items():
            if use.service_month in works and use.book_month <= month:
                key = (use.service_month, use.tariff, use.is_past_anniversary)
                slice_ = slices.setdefault(key, Slice(use.tariff, use.is_past_anniversary))
                for counted in (slice_.units, slice_.billed) if use.book_month < month else (slice_.units,):
                    for component, amount in units.items():
                        counted[component] = counted.get(component, 0) + amount
        for (service, _tariff, _side), slice_ in sorted(slices.items(), key=lambda each: (each[0][0], each[0][2])):
            works[service].slices.append(slice_)
        return [(work, service < month) for service, work in sorted(works.items())]

    def _total(self, work_and_lateness: tuple[Work, bool]) -> int:
        work, is_late = work_and_lateness
        work.segments = segments_of(work, self.book)
        if not work.segments:
            return 0
        ratings = rate_month(
            month=work.service_month,
            segments=work.segments,
            tariffs={segment.tariff_id: self.book.by_id[segment.tariff_id].terms for segment in work.segments},
            anchor=work.holder.anchor_date,
            discounts=work.holder.discounts,
            is_free=False,
            is_late=is_late,
            span_before=self._span_before(work),
        )
        return sum(rating.rated.total_minor for rating in ratings)

    def _span_before(self, work: Work) -> dict[str, int]:
        found: dict[str, int] = {}
        for segment in work.segments:
            for component in self.book.by_id[segment.tariff_id].terms.components:
                start = span_start(component.counts_over, work)
                if start is not None and start < work.service_month:
                    known = self.before.get((work.holder.id, work.service_month, start), {})
                    found[component.code] = known.get(component.code, 0)
        return found


def _runs_in(holder: Holder, month: date) -> bool:
    begins, ends = day_start(month), day_start(next_month(month))
    has_begun = holder.valid_from < ends and holder.valid_to > begins
    return has_begun and (holder.ended_at is None or holder.ended_at > begins)


class Balances:
    """What is left of the wallets of a batch's prepaid entitlements (a ``limits.Limit``)."""

    def __init__(self, wallets: Iterable[Wallet] = ()) -> None:
        self._wallets = {holder: wallet for wallet in wallets for holder in wallet.holders}
        self._refused: set[tuple[Use, tuple[tuple[str, int], ...]]] = set()
        self._refunds: dict[int, list[tuple[Use, dict[str, int]]]] = defaultdict(list)
        self._is_ample = False

    @classmethod
    def lock(cls, items: Sequence[Item]) -> Steps[Balances]:
        asked = [item for item in items if item.event.is_prepaid]
        if not asked:
            return cls()
        entitlements = sorted({item.event.entitlement_id for item in asked})
        wallets = yield Statement("lock_wallets", {"entitlements": entitlements}, "rows")
        return cls((yield from read(wallets, sorted({item.month for item in asked}))))

    def expect(self, items: Sequence[Item]) -> None:
        asked = [item for item in items if item.event.is_prepaid]
        # What a quota may still refuse could have made the others cheaper (a volume tier): these are judged one by one.
        self._is_ample = not any(item.event.has_quota for item in asked) and self._covers_all(asked)

    def refusal(self, item: Item) -> Status | None:
        wallet = self._wallets.get(item.event.entitlement_id) if item.event.is_prepaid else None
        if wallet is None or self._is_ample:
            return None
        use, units = wallet.use_of(item.event.entitlement_id, item.event.event_time), micro(item.event.units)
        if all(amount <= 0 for amount in units.values()):  # a correction gives back
            return None
        same = (use, tuple(units.items()))
        if same not in self._refused and self._covers(wallet, [(use, units)]):
            return None
        self._refused.add(same)
        return Status.OVER_BALANCE

    def take(self, item: Item) -> None:
        wallet = self._wallets.get(item.event.entitlement_id) if item.event.is_prepaid else None
        if wallet is not None and not self._is_ample:
            use, units = wallet.use_of(item.event.entitlement_id, item.event.event_time), micro(item.event.units)
            wallet.spend(use, {component: amount for component, amount in units.items() if amount > 0})
            refund = {component: amount for component, amount in units.items() if amount < 0}
            if refund:
                self._refunds[id(wallet)].append((use, refund))
            self._refused.clear()  # a tier may have made the next one cheaper

    def move(self, written: Sequence[Item]) -> Steps[None]:
        """Nothing to move: what was written is what the next batch reads."""
        yield from ()

    def _covers_all(self, items: Sequence[Item]) -> bool:
        """Whether every wallet covers all that is asked of it: the usual case, priced once a wallet and not once an event."""
        uses: dict[int, dict[Use, dict[str, int]]] = defaultdict(dict)
        refunds: dict[int, list[tuple[Use, dict[str, int]]]] = defaultdict(list)
        for item in items:
            wallet = self._wallets.get(item.event.entitlement_id)
            if wallet is not None:
                use = wallet.use_of(item.event.entitlement_id, item.event.event_time)
                counted = uses[id(wallet)].setdefault(use, {})
                for component, amount in micro(item.event.units).items():
                    if amount > 0:
                        counted[component] = counted.get(component, 0) + amount
                    else:
                        refunds[id(wallet)].append((use, {component: amount}))
        wallets = {id(wallet): wallet for wallet in self._wallets.values()}
        return all(
            wallets[number].covers(asked.items())
            and (number not in refunds or wallets[number].covers([*asked.items(), *refunds[number]]))
            for number, asked in uses.items()
        )

    def _covers(self, wallet: Wallet, uses: Sequence[tuple[Use, dict[str, int]]]) -> bool:
        """Without the refunds of this batch, which are not certain and pay for nothing; with them too (a tier may be lost)."""
        refunds = self._refunds.get(id(wallet))
        return wallet.covers(uses) and (not refunds or wallet.covers([*uses, *refunds]))


def read(wallets: Sequence[tuple[int, int]], months: Sequence[date]) -> Steps[list[Wallet]]:
    """The wallets (operator, organisation) as they are in this transaction, ready to judge use in ``months``."""
    if not wallets:
        return []
    operators, organisations = zip(*wallets, strict=True)
    asked = {"operators": list(operators), "organisations": list(organisations), "months": list(months)}
    rows = yield Statement("wallet_state", asked, "rows")
    found = [_wallet(*row[2:]) for row in rows]
    wanted = [span for wallet in found for span in wallet.spans()]
    if wanted:
        holders, services, starts = zip(*wanted, strict=True)
        spans = {"entitlements": list(holders), "months": list(services), "starts": list(starts)}
        counted: dict[tuple[int, date, date], dict[str, int]] = {span: {} for span in wanted}
        for holder, service, start, component, units in (yield Statement("billing_span_before", spans, "rows")):
            counted[holder, service, start][component] = int(units)
        for wallet in found:
            wallet.before = {span: units for span, units in counted.items() if span[0] in wallet.holders}
    return found


def micro(units: Mapping[str, str]) -> dict[str, int]:
    """Units in millionths."""
    return {component: int(Decimal(amount).scaleb(6)) for component, amount in units.items()}


def _wallet(deposits: int, months: list[date], holders: str | None, tariffs: str | None, hours: str | None) -> Wallet:
    used: dict[Use, dict[str, int]] = defaultdict(dict)
    for holder, service, book, tariff, is_past, component, units in _rows(hours):
        used[Use(holder, _day(service), _day(book), tariff, is_past)][component] = int(units)
    rights = {right.id: right for right in map(_holder, _rows(holders))}
    return Wallet(deposits, months, rights, TariffBook.of(map(_version, _rows(tariffs))), dict(used))


def _rows(text: str | None) -> list[list[Any]]:
    return [] if text is None else msgspec.json.decode(text)


def _holder(row: Sequence[Any]) -> Holder:
    *front, begins, ends, ended, anchor, discounts = row
    moments = [datetime.fromisoformat(moment) if moment else None for moment in (begins, ends, ended)]
    return Holder(*[*front, *moments, _day(anchor), discounts])


def _version(row: Sequence[Any]) -> tuple[Version, str]:
    number, plan, product, state, start, end, digest, document = row
    terms = _terms(document)
    return Version(number, plan, product, _day(start), _day(end) if end else None, digest, terms, {}), state


@lru_cache(maxsize=4096)
def _terms(document: str) -> Tariff:
    return parse_tariff(msgspec.json.decode(document))


def _day(text: str) -> date:
    return date.fromisoformat(text)
