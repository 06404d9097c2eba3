"""Baskets: whose, for what, and what each line asks for. The amounts come from market.storefront.expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from oscar.core.loading import get_class, get_model

from market.storefront import expected
from market.storefront.listing import listing_of
from market.storefront.models import BasketContext, LineChoice
from pricing.tariffs.discounts import published
from pricing.tariffs.models import Bundle, Plan
from pricing.tariffs.selectors import tariff_in_force
from pricing.tariffs.supply import supply_check
from products.catalogue.models import DataProduct, ProductState
from products.organisations.models import Membership, Organisation, Role, User
from products.record.clock import business_date
from products.record.refusals import Refused
from products.registry.models import FREE_CLASSES
from products.registry.purposes import covers
from settlement.entitlements.stop_selectors import stop_check
from settlement.shares.services import sale_check

BUYING_ROLES = (Role.BUYER, Role.OWNER)
MAX_TOP_UP_MINOR = 99_999_999


class OrganisationNotVerified(Refused):
    code = "organisation_not_verified"


class BuyerRoleMissing(Refused):
    code = "buyer_role_missing"


class ProductNotOnSale(Refused):
    code = "product_not_on_sale"


class PurposeNotOffered(Refused):
    code = "purpose_not_offered"


class ScenarioNotOffered(Refused):
    code = "scenario_not_offered"


class TopUpNeeded(Refused):
    """A prepaid plan serves nothing without a balance."""

    code = "top_up_needed"


class TopUpTooLarge(Refused):
    code = "top_up_too_large"


class SoldInBundleOnly(Refused):
    """The plan is a part of a bundle, and nothing of a bundle is sold alone."""

    code = "sold_in_bundle_only"


class BasketNotOpen(Refused):
    """The basket is waiting for a payment or was ordered."""

    code = "basket_not_open"


@dataclass(frozen=True)
class LineView:
    """A basket's line as people see it: the product, the plan or grant, the term, what is due now (fen)."""

    line: Any
    product: DataProduct
    choice: LineChoice
    term: expected.Term
    price: expected.Price | None
    flat_minor: int

    @property
    def document(self) -> Mapping[str, Any] | None:
        return self.price.document if self.price else None

    @property
    def due_minor(self) -> int:
        return self.flat_minor + self.choice.top_up_minor

    @cached_property
    def month(self) -> dict[str, Any] | None:
        """The quote of a whole month at the expected usage."""
        if self.price is None:
            return None
        metered = expected.metered(self.price.document)
        units = {component["code"]: self.choice.expected_units.get(component["code"], "0") for component in metered}
        return self.price.month(units, self.term.start)

    @property
    def month_total(self) -> Decimal | None:
        """Yuan for a whole month at the expected usage."""
        return Decimal(self.month["total"]) if self.month else None

    @property
    def deductions(self) -> list[expected.Deduction]:
        """What discounts take off that month."""
        return self.price.deductions(self.month) if self.price and self.month else []


@dataclass(frozen=True)
class BasketView:
    """A basket with its lines and the sum that is due at checkout (fen)."""

    basket: Any
    context: BasketContext
    lines: list[LineView]

    @property
    def due_minor(self) -> int:
        return sum(line.due_minor for line in self.lines)

    @property
    def is_cut(self) -> bool:
        return any(line.term.is_cut for line in self.lines)


def may_buy(*, membership: Membership | None) -> Membership:
    """The membership, if it may buy for its organisation. Raises BuyerRoleMissing, OrganisationNotVerified."""
    if membership is None or not set(BUYING_ROLES) & set(membership.roles):
        raise BuyerRoleMissing(_("To buy you need the role buyer in your organisation."))
    if not membership.organisation.is_verified:
        raise OrganisationNotVerified(
            _("Your organisation is not verified yet. It can buy once its certificate has been checked.")
        )
    return membership


@transaction.atomic
def basket_add(
    *,
    membership: Membership,
    product: DataProduct,
    plan: Plan,
    purpose: str,
    scenario: str,
    expected_units: Mapping[str, str],
    top_up_minor: int = 0,
    user: User,
    at: datetime,
    bundle: Bundle | None = None,
) -> Any:
    """Put a plan of a product into the basket for this operator, purpose and scenario; opens one where there is none.

    A product is in a basket once: adding it again changes the line. ``bundle`` is the one that is being put in as a whole
    (market.storefront.bundles). Returns Oscar's basket. Raises ProductNotOnSale, PurposeNotOffered, ScenarioNotOffered,
    SupplyRefused, SaleWithoutAgreement, TopUpNeeded, TopUpTooLarge, SoldInBundleOnly, and what ``may_buy`` raises.
    """
    may_buy(membership=membership)
    if plan.bundle_id is not None and (bundle is None or plan.bundle_id != bundle.pk):
        raise SoldInBundleOnly(_("This plan is sold in its bundle only."), field="plan")
    _check_offer(product=product, plan=plan, purpose=purpose, scenario=scenario, at=at)
    supply_check(products=[product], organisation=membership.organisation)
    stop_check(products=[product], organisation=membership.organisation)
    check_revenue(product=product, term=expected.term_of(product=product, months=plan.term_months, at=at))
    _check_top_up(plan=plan, top_up_minor=top_up_minor)
    basket = _open_basket(membership.organisation, product.operator, purpose, scenario, user, at)
    basket.strategy = get_class("partner.strategy", "Selector")().strategy()
    listed = listing_of(product).product
    line = basket.lines.filter(product=listed).select_related("choice__plan").first()
    if line is not None and line.choice.plan is not None and line.choice.plan.bundle_id not in (None, plan.bundle_id):
        raise SoldInBundleOnly(_("This product is in the basket as a part of a bundle. Take the bundle out first."), field="plan")
    if line is None:
        line, _created = basket.add_product(listed)
    LineChoice.objects.update_or_create(
        line=line, defaults={"plan": plan, "grant": None, "expected_units": dict(expected_units), "top_up_minor": top_up_minor}
    )
    return basket


@transaction.atomic
def line_change(*, organisation: Organisation, line: int, expected_units: Mapping[str, str], top_up_minor: int) -> LineChoice:
    """Another expected usage or top-up of a line. Raises LineChoice.DoesNotExist, BasketNotOpen, TopUpNeeded, TopUpTooLarge."""
    choice = _choice(organisation, line)
    if choice.plan is not None:
        _check_top_up(plan=choice.plan, top_up_minor=top_up_minor)
    choice.expected_units, choice.top_up_minor = dict(expected_units), top_up_minor
    choice.save(update_fields=["expected_units", "top_up_minor"])
    return choice


@transaction.atomic
def line_remove(*, organisation: Organisation, line: int) -> None:
    """Take a line out, with the rest of its bundle; the last one takes the basket with it.

    Raises LineChoice.DoesNotExist, BasketNotOpen.
    """
    choice = _choice(organisation, line)
    basket = choice.line.basket
    if choice.plan is not None and choice.plan.bundle_id is not None:
        basket.lines.filter(choice__plan__bundle=choice.plan.bundle_id).delete()
    else:
        choice.line.delete()
    if not basket.lines.exists():
        BasketContext.objects.filter(basket=basket).delete()
        basket.delete()


def baskets_of(*, organisation: Organisation, at: datetime, basket: int | None = None) -> list[BasketView]:
    """The organisation's baskets that are not ordered yet (or the one asked for), with their lines priced today."""
    contexts = BasketContext.objects.filter(organisation=organisation, is_open=True).select_related("basket", "operator")
    if basket is not None:
        contexts = contexts.filter(basket=basket)
    held = list(contexts.order_by("created_at", "id"))
    lines = get_model("basket", "Line").objects.filter(basket__in=[c.basket_id for c in held])
    related = ("product__listing__data_product__authorisation", "product__listing__data_product__operator")
    lines = lines.select_related(
        "basket__context__organisation", "stockrecord", "choice__plan__bundle", "choice__grant", *related
    ).order_by("id")
    by_basket: dict[int, list[LineView]] = {}
    for line in lines:
        by_basket.setdefault(line.basket_id, []).append(line_view(line=line, at=at))
    return [BasketView(context.basket, context, by_basket.get(context.basket_id, [])) for context in held]


def line_view(*, line: Any, at: datetime) -> LineView:
    """A line priced at a moment."""
    product, choice = line.product.listing.data_product, line.choice
    if choice.plan is None:
        term = expected.grant_term(product=product, grant=choice.grant, at=at)
        return LineView(line, product, choice, term, None, 0)
    term = expected.term_of(product=product, months=choice.plan.term_months, at=at)
    tariff = tariff_in_force(plan=choice.plan, on=business_date(at))
    if tariff is None or term.end <= term.start:
        return LineView(line, product, choice, term, None, 0)
    price = _price(line, product, tariff.document, business_date(at))
    return LineView(line, product, choice, term, price, price.first_period_minor(term))


def _price(line: Any, product: DataProduct, document: Mapping[str, Any], on: date) -> expected.Price:
    """The tariff as the basket's organisation gets it in the basket's scenario, which are read only where it matters."""
    if not published(document):
        return expected.Price(document, ())
    held = line.basket.context
    return expected.price_for(product=product, document=document, organisation=held.organisation, scenario=held.scenario, on=on)


def line_due_minor(*, line: Any, at: datetime) -> int:
    """Fen due at checkout for a line: the flat components of the first billing period and the top-up."""
    return line_view(line=line, at=at).due_minor


def _open_basket(
    organisation: Organisation, operator: Organisation, purpose: str, scenario: str, user: User, at: datetime
) -> Any:
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)  # two clicks at once open one basket
    wanted = {"organisation": organisation, "operator": operator, "purpose": purpose, "scenario": scenario}
    context = BasketContext.objects.filter(**wanted, is_open=True).select_related("basket").first()
    if context is None:
        basket = get_model("basket", "Basket").objects.create(owner=user)
        BasketContext.objects.create(basket=basket, **wanted, opened_by=user, created_at=at)
        return basket
    if not context.basket.can_be_edited:
        raise BasketNotOpen(_("This basket is waiting for its payment. Finish or give up that payment first."))
    return context.basket


def _choice(organisation: Organisation, line: int) -> LineChoice:
    held = LineChoice.objects.select_related("line__basket__context", "plan").select_for_update(of=("self",))
    choice = held.get(line_id=line, line__basket__context__organisation=organisation, line__basket__context__is_open=True)
    if not choice.line.basket.can_be_edited:
        raise BasketNotOpen(_("This basket is waiting for its payment. Finish or give up that payment first."))
    return choice


def _check_offer(*, product: DataProduct, plan: Plan, purpose: str, scenario: str, at: datetime) -> None:
    on_sale = product.state == ProductState.LISTED and plan.product_id == product.pk and plan.state == Plan.State.OPEN
    if not on_sale or tariff_in_force(plan=plan, on=business_date(at)) is None:
        raise ProductNotOnSale(_("This plan is not on sale at the moment."))
    is_right = all(
        any(covers(right, purpose) for right in rights) for rights in (product.purposes, plan.purposes or product.purposes)
    )
    if not is_right:
        raise PurposeNotOffered(_("This plan is not offered for this purpose."), field="purpose", purpose=purpose)
    if purpose.split(".", 1)[0] in FREE_CLASSES:
        raise PurposeNotOffered(
            _("For this purpose the product is free: claim free use instead."), field="purpose", purpose=purpose
        )
    if scenario not in product.scenarios:
        raise ScenarioNotOffered(_("This product is not offered for this scenario."), field="scenario", scenario=scenario)


def check_revenue(*, product: DataProduct, term: expected.Term) -> None:
    """Raise SaleWithoutAgreement where no agreement says whose the revenue of some day of the term is."""
    if term.start < term.end:
        sale_check(product=product, from_date=term.start, to_date=term.end)


def _check_top_up(*, plan: Plan, top_up_minor: int) -> None:
    if plan.is_prepaid and top_up_minor <= 0:
        raise TopUpNeeded(_("This plan is prepaid: add the amount that you want to use first."), field="top_up")
    if not 0 <= top_up_minor <= MAX_TOP_UP_MINOR:
        raise TopUpTooLarge(_("A top-up is at most ¥999,999.99."), field="top_up")
