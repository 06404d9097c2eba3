"""Rate limits shared by all gateways: calls of a minute are leased in blocks and spent here (``settlement.metering.leases``).

No window ever serves more than its limit. What a gateway has leased and not spent is not there for others until the window ends,
so blocks become smaller as a window fills; the last calls are leased one by one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from settlement.metering.leases import WINDOW_SECONDS, Lease

log = logging.getLogger("gongshu.gateway")


class Wanted(NamedTuple):
    """One call of a limit. Limits of one bucket share what is taken: of a product's capacity, each class has its own limit."""

    policy: str
    bucket: str
    limit: int


@dataclass(slots=True, eq=False)
class Stock:
    """What this process holds of a bucket in one window."""

    bucket: str
    began: int
    limit: int
    left: int = 0
    taken: int = 0
    waiting: int = 0
    is_out: bool = False
    leasing: asyncio.Future[None] | None = None

    @property
    def remaining(self) -> int:
        """What is held here and what nobody has taken, as far as it is known here."""
        return self.left + max(0, self.limit - self.taken)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether the call may pass; ``refused`` is the policy that does not let it. ``states`` are (policy, limit, remaining)."""

    refused: str
    seconds: int
    states: tuple[tuple[str, int, int], ...]


class Rates:
    """``lease(bucket=, began=, limit=, waiting=)`` asks the database; ``turned(began)`` hears that a new window began."""

    def __init__(self, lease: Callable[..., Awaitable[Lease]], turned: Callable[[int], None] = lambda _began: None) -> None:
        self._lease = lease
        self._turned = turned
        self._stocks: dict[tuple[str, int], Stock] = {}
        self._began = 0

    def spend(self, wanted: Sequence[Wanted], second: float) -> Allowance | None:
        """One call of each limit, all or none, from what is held here; None where something must be leased first (``take``)."""
        began = self._window(second)
        stocks: list[Stock] = []
        for _policy, bucket, limit in wanted:
            stock = self._stocks.get((bucket, limit))
            if stock is None or stock.began != began or (stock.left <= 0 and not stock.is_out):
                return None
            stocks.append(stock)
        refused = next((want.policy for want, stock in zip(wanted, stocks, strict=True) if stock.left <= 0), "")
        if not refused:
            for stock in stocks:
                stock.left -= 1
        states = tuple((want.policy, want.limit, stock.remaining) for want, stock in zip(wanted, stocks, strict=True))
        return Allowance(refused, max(1, began + WINDOW_SECONDS - int(second)), states)

    async def take(self, wanted: Sequence[Wanted], second: float) -> Allowance:
        """The same, leasing what is missing. Raises what the database raises."""
        while (allowance := self.spend(wanted, second)) is None:
            for _policy, bucket, limit in wanted:
                await self._fill(bucket, limit, self._began)
            second = max(second, self._began)  # who waited counts in the window that is open by now, and does not turn it back
        return allowance

    def left(self) -> Iterator[tuple[str, int, int]]:
        """What is held and not spent, to be given back when the process stops."""
        for stock in self._stocks.values():
            yield stock.bucket, stock.began, stock.left
            stock.left, stock.is_out = 0, True

    async def _fill(self, bucket: str, limit: int, began: int) -> None:
        stock = self._stocks.get((bucket, limit))
        if stock is None or stock.began != began:
            stock = self._stocks[bucket, limit] = Stock(bucket, began, limit)
        if stock.left > 0 or stock.is_out:
            return
        stock.waiting += 1
        try:
            if stock.leasing is None:
                stock.leasing = asyncio.ensure_future(self._ask(stock))
            await asyncio.shield(stock.leasing)
        finally:
            stock.waiting -= 1

    async def _ask(self, stock: Stock) -> None:
        try:
            granted, stock.taken = await self._lease(
                bucket=stock.bucket, began=stock.began, limit=stock.limit, waiting=max(1, stock.waiting)
            )
            stock.left += granted
            stock.is_out = granted == 0
        finally:
            stock.leasing = None

    def _window(self, second: float) -> int:
        """The window of a moment; the one before is not opened again for a call that waited.

        Further back the clock was set back, from a jump ahead: it is followed, or calls would stay in a window of the future.
        """
        began = int(second) // WINDOW_SECONDS * WINDOW_SECONDS
        if began > self._began:
            self._began = began
            self._stocks = {key: stock for key, stock in self._stocks.items() if stock.began >= began}
            self._turned(began)
        elif began < self._began - WINDOW_SECONDS:
            self._began = began
            self._stocks = {key: stock for key, stock in self._stocks.items() if stock.began == began}
        return self._began
