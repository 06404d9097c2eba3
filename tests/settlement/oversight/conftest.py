"""A stall with two banks, a price regulator over it, and a person for every role on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from products.models import Membership, Organisation, User
from products.organisations.models import Role
from tests.settlement.books import START, Books, make_books
from tests.settlement.stall import entitle, organisation


@dataclass
class Market:
    """``market.person("regulator", "decider")`` is somebody with exactly that role; ``banks`` have an entitlement each."""

    books: Books
    regulator: Organisation
    banks: list[Organisation] = field(default_factory=list)
    people: dict[tuple[str, str], User] = field(default_factory=dict)

    def person(self, side: str, role: str) -> User:
        if (side, role) not in self.people:
            of = {
                "regulator": self.regulator,
                "operator": self.books.stall.operator,
                "buyer": self.banks[0] if self.banks else None,
            }
            user = User.objects.create(email=f"{role}@{side}.example", name=f"{side} {role}")
            Membership.objects.create(user=user, organisation=of[side], roles=[role], created_at=START)
            self.people[side, role] = user
        return self.people[side, role]

    def sell(self, slug: str, *, discounts: tuple[str, ...] = (), calls: str = "5000", size: str = "large", **changes):
        """A bank's entitlement and its use in October; ``discounts`` stand on it as an older contract left them."""
        serial = 50 + len(self.banks)
        bank = organisation(serial, "enterprise", slug, user=self.books.stall.user)
        Organisation.objects.filter(pk=bank.pk).update(size=size)
        self.banks.append(bank)
        found = entitle(self.books.stall.product, bank, self.books.stall.plan, discounts=list(discounts), **changes)
        if calls:
            self.books.use(calls, entitlement=found)
        return found


ROLES = [role.value for role in Role]


@pytest.fixture
def market(db, clock) -> Market:
    books = make_books()
    return Market(books, organisation(40, "price_regulator", "ndrc", user=books.stall.user))
