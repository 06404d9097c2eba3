"""Buying, in one place: begin a payment, settle it once, and what comes of it: order, deposit, entitlements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from oscar.core.loading import get_class, get_model
from oscar.core.prices import Price

from market.storefront import baskets, expected
from market.storefront.agreement import agreement_digest, agreement_text
from market.storefront.baskets import BasketNotOpen, BasketView, LineView
from market.storefront.bundles import check_bundles
from market.storefront.listing import listing_of
from market.storefront.models import BasketContext, LineChoice, OrderContext
from pricing.grants.models import FreeUseGrant
from pricing.tariffs.supply import supply_check
from products.organisations.models import Membership, Organisation, OrganisationKind, Role, User
from products.record import audit
from products.record.notices import define, notify
from products.record.refusals import Refused
from settlement.billing.models import Invoice
from settlement.billing.services import InvoiceOverpaid, deposit_receive, invoice_pay
from settlement.entitlements.joint import Finding, join_findings, join_require
from settlement.entitlements.services import entitlement_open
from settlement.entitlements.stop_selectors import stop_check
from settlement.payments import services as payments
from settlement.payments.models import PaymentIntent

CHANNELS = {PaymentIntent.Method.HOSTED: "stripe", PaymentIntent.Method.TRANSFER: "bank"}

define(
    "order.active",
    subject=_("Order %(order)s is active"),
    text=_("Order %(order)s from %(operator)s is active. Issue an API key and start calling."),
)
define(
    "order.stuck",
    subject=_("Order %(order)s is paid, but not active yet"),
    text=_("The payment of order %(order)s arrived and is kept as a deposit, but the right could not be opened: %(reason)s"),
)
define(
    "payment.extra",
    subject=_("A payment arrived without an open order"),
    text=_("¥%(amount)s arrived for %(order)s, which was paid or given up before. It is kept as a deposit with %(operator)s."),
)


class AgreementChanged(Refused):
    """What was read is not what would be agreed now: prices, terms or words changed in between."""

    code = "agreement_changed"


class NothingToPay(Refused):
    code = "nothing_to_pay"


class PaymentNeeded(Refused):
    code = "payment_needed"


@dataclass(frozen=True)
class Agreed:
    """A basket as the buyer agreed to it."""

    view: BasketView
    text: str

    @property
    def digest(self) -> str:
        return agreement_digest(self.text)


def agreed(*, membership: Membership, view: BasketView) -> Agreed:
    """The basket with its agreement in the page's language."""
    context = view.context
    text = agreement_text(
        buyer=membership.organisation,
        operator=context.operator,
        purpose=context.purpose,
        scenario=context.scenario,
        lines=view.lines,
    )
    return Agreed(view, text)


def joined(*, membership: Membership, view: BasketView, at: datetime) -> list[Finding]:
    """The join rules that a basket would complete with what its organisation has; a review comes before the purchase then."""
    products = [line.product for line in view.lines]
    return join_findings(organisation=membership.organisation, products=products, at=at)


@transaction.atomic
def payment_begin(*, membership: Membership, basket: int, method: str, digest: str, user: User, at: datetime) -> PaymentIntent:
    """Agree and open the payment of a basket, which is frozen meanwhile. ``digest`` is that of the agreement read.

    Commits the intent; the provider is called afterwards. Raises AgreementChanged, NothingToPay, BasketNotOpen.
    """
    view, accepted = _agree(membership, basket, digest, at)
    if view.due_minor == 0:
        raise NothingToPay(_("Nothing is due now. Order without paying."))
    view.basket.freeze()
    return payments.intent_open(
        kind=PaymentIntent.Kind.ORDER,
        method=method,
        organisation=membership.organisation,
        operator=view.context.operator,
        amount_minor=view.due_minor,
        order_number=_order_number(view.basket),
        context=_snapshot(accepted),
        user=user,
        at=at,
    )


@transaction.atomic
def order_without_payment(*, membership: Membership, basket: int, digest: str, user: User, at: datetime) -> Any:
    """Order a basket of which nothing is due now. Raises PaymentNeeded, AgreementChanged, BasketNotOpen."""
    view, accepted = _agree(membership, basket, digest, at)
    if view.due_minor:
        raise PaymentNeeded(_("An amount is due. Choose how to pay."))
    return _place(basket=view.basket, snapshot=_snapshot(accepted), intent=None, user=user, at=at)


def grant_preview(*, membership: Membership, grant: FreeUseGrant, at: datetime) -> BasketView:
    """What taking up a grant would order; writes nothing."""
    baskets.may_buy(membership=membership)
    term = expected.grant_term(product=grant.product, grant=grant, at=at)
    line = LineView(None, grant.product, LineChoice(grant=grant), term, None, 0)
    return BasketView(None, _grant_context(membership, grant, at), [line])


@transaction.atomic
def grant_take_up(*, membership: Membership, grant: FreeUseGrant, digest: str, user: User, at: datetime) -> Any:
    """One step, price 0: the order and entitlement of a grant. Raises AgreementChanged and what entitlement_open raises."""
    accepted = agreed(membership=membership, view=grant_preview(membership=membership, grant=grant, at=at))
    _check_digest(accepted, digest)
    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = get_class("partner.strategy", "Selector")().strategy()
    context = _grant_context(membership, grant, at)
    context.basket, context.opened_by = basket, user
    context.save()
    line, _created = basket.add_product(listing_of(grant.product).product)
    choice = LineChoice.objects.create(line=line, grant=grant)
    view = BasketView(basket, context, [LineView(line, grant.product, choice, accepted.view.lines[0].term, None, 0)])
    return _place(basket=basket, snapshot=_snapshot(Agreed(view, accepted.text)), intent=None, user=user, at=at)


def _grant_context(membership: Membership, grant: FreeUseGrant, at: datetime) -> BasketContext:
    return BasketContext(
        organisation=membership.organisation,
        operator=grant.product.operator,
        purpose=grant.purpose,
        scenario=grant.scenario,
        is_open=False,
        created_at=at,
    )


@transaction.atomic
def payment_cancel(*, intent: PaymentIntent, actor: User | None, at: datetime, is_failure: bool = False) -> PaymentIntent:
    """Give a payment up; its basket can be changed again. Raises PaymentClosed."""
    state = PaymentIntent.State.FAILED if is_failure else PaymentIntent.State.CANCELLED
    intent = payments.intent_close(intent=intent, state=state, actor=actor, at=at)
    basket = get_model("basket", "Basket").objects.filter(pk=intent.context.get("basket"), status="Frozen").first()
    if basket is not None:
        basket.thaw()
    return intent


@transaction.atomic
def payment_settle(*, intent: PaymentIntent, at: datetime, confirmed_by: User | None = None) -> PaymentIntent:
    """The money arrived: finish what it pays, once, whoever tells it first (webhook, browser, cashier)."""
    intent = payments.intent_locked(intent=intent)
    if intent.state == PaymentIntent.State.SUCCEEDED:
        return intent
    was_open = intent.state in payments.OPEN_STATES
    intent = payments.intent_settle(intent=intent, at=at, confirmed_by=confirmed_by)
    if intent.kind == PaymentIntent.Kind.INVOICE and intent.invoice is not None:
        _pay_invoice(intent, intent.invoice, at)
    else:
        _pay_order(intent, was_open, at)
    return intent


def _agree(membership: Membership, basket: int, digest: str, at: datetime) -> tuple[BasketView, Agreed]:
    baskets.may_buy(membership=membership)
    get_model("basket", "Basket").objects.select_for_update().filter(pk=basket).first()
    found = baskets.baskets_of(organisation=membership.organisation, at=at, basket=basket)
    view = found[0] if found else None
    if view is None or not view.basket.can_be_edited or not view.lines:
        raise BasketNotOpen(_("This basket is waiting for its payment or was ordered."))
    if any(line.choice.plan is not None and line.document is None for line in view.lines):
        raise baskets.ProductNotOnSale(_("A product in this basket is not on sale at the moment. Take it out to go on."))
    check_bundles(plans=[line.choice.plan for line in view.lines if line.choice.plan is not None], at=at)
    charged = [line.product for line in view.lines if line.choice.plan is not None]
    supply_check(products=charged, organisation=membership.organisation)
    stop_check(products=charged, organisation=membership.organisation)
    for line in view.lines:
        if line.choice.plan is not None:
            baskets.check_revenue(product=line.product, term=line.term)
    join_require(organisation=membership.organisation, products=[line.product for line in view.lines], at=at)
    accepted = agreed(membership=membership, view=view)
    _check_digest(accepted, digest)
    return view, accepted


def _check_digest(accepted: Agreed, digest: str) -> None:
    if accepted.digest != digest:
        raise AgreementChanged(_("The agreement changed since you read it. Please read it again and accept it."))


def _snapshot(accepted: Agreed) -> dict[str, Any]:
    """All that finishing needs when the browser never comes back."""
    view = accepted.view
    return {
        "basket": view.basket.pk,
        "purpose": view.context.purpose,
        "scenario": view.context.scenario,
        "agreement": accepted.text,
        "digest": accepted.digest,
        "amounts": {str(line.line.pk): line.due_minor for line in view.lines},
    }


def _order_number(basket: Any) -> str:
    return get_class("order.utils", "OrderNumberGenerator")().order_number(basket)


def _pay_order(intent: PaymentIntent, was_open: bool, at: datetime) -> None:
    deposit_receive(
        organisation=intent.organisation,
        operator=intent.operator,
        amount_minor=intent.amount_minor,
        order_number=intent.order_number,
        channel=_channel(intent),
        key=f"intent:{intent.pk}",
        at=at,
    )
    basket = get_model("basket", "Basket").objects.select_for_update().filter(pk=intent.context["basket"]).first()
    if was_open and basket is not None and basket.status == "Frozen":
        _place(basket=basket, snapshot=intent.context, intent=intent, user=intent.created_by, at=at)
        return
    _tell_extra(intent, intent.order_number, at)


def _pay_invoice(intent: PaymentIntent, invoice: Invoice, at: datetime) -> None:
    """Pay the invoice; money that it does not take any more (it was paid twice) stays with the operator as a deposit."""
    paid = {"amount_minor": intent.amount_minor, "channel": _channel(intent), "at": at}
    try:
        with transaction.atomic():
            invoice_pay(invoice=invoice, key=f"intent:{intent.pk}", **paid)
    except InvoiceOverpaid:
        parties = {"organisation": intent.organisation, "operator": intent.operator}
        deposit_receive(**parties, order_number=invoice.number, key=f"intent:{intent.pk}:extra", **paid)
        _tell_extra(intent, invoice.number, at)


def _channel(intent: PaymentIntent) -> str:
    return CHANNELS[PaymentIntent.Method(intent.method)]


def _place(*, basket: Any, snapshot: dict[str, Any], intent: PaymentIntent | None, user: User, at: datetime) -> Any:
    """Oscar's order of a basket at the agreed amounts, its context, and an entitlement for each line."""
    amounts = {int(line): minor for line, minor in snapshot["amounts"].items()}
    basket.strategy = get_class("partner.strategy", "Selector")().strategy(amounts=amounts)
    due = Decimal(sum(amounts.values())) / 100
    shipping = get_class("shipping.methods", "NoShippingRequired")()
    order = get_class("order.utils", "OrderCreator")().place_order(
        basket=basket,
        total=Price(currency="CNY", excl_tax=due, tax=Decimal(0)),
        shipping_method=shipping,
        shipping_charge=shipping.calculate(basket),
        user=user,
        order_number=_order_number(basket),
        status="paid" if intent else "pending",
    )
    basket.submit()
    context = _keep_context(order, basket.context, snapshot, intent, user, at)
    lines = [baskets.line_view(line=line, at=at) for line in basket.all_lines()]
    refusal = _open_entitlements(context, lines, at)
    if refusal is None:
        get_model("order", "Order").objects.filter(pk=order.pk).update(status="active")
    _tell(context, refusal, at)
    return order


def _keep_context(
    order: Any, held: BasketContext, snapshot: dict[str, Any], intent: PaymentIntent | None, user: User, at: datetime
) -> OrderContext:
    BasketContext.objects.filter(pk=held.pk).update(is_open=False)
    context = OrderContext.objects.create(
        order=order,
        organisation=held.organisation,
        operator=held.operator,
        purpose=held.purpose,
        scenario=held.scenario,
        agreement_text=snapshot["agreement"],
        agreement_digest=snapshot["digest"],
        accepted_by=user,
        intent=intent,
        due_minor=sum(snapshot["amounts"].values()),
        created_at=at,
    )
    facts = {"order": order.number, "due_minor": context.due_minor, "agreement": context.agreement_digest}
    audit.record(action="order.placed", obj=context, actor=user, organisation=context.organisation, at=at, facts=facts)
    return context


def _open_entitlements(context: OrderContext, lines: Sequence[LineView], at: datetime) -> Refused | None:
    """All of them or none: a paid order is not half active. Returns why not; without a payment it raises instead."""
    try:
        with transaction.atomic():
            for line in lines:
                entitlement_open(
                    organisation=context.organisation,
                    product=line.product,
                    plan=line.choice.plan,
                    grant=line.choice.grant,
                    purposes=[context.purpose],
                    scenario=context.scenario,
                    valid_from=at,
                    valid_to=line.term.asked_valid_to,
                    order_number=context.order.number,
                    accepted_by=context.accepted_by,
                    agreement_digest=context.agreement_digest,
                    discounts=line.price.due if line.price else (),
                    at=at,
                )
    except Refused as refusal:
        if context.intent is None:
            raise
        return refusal
    return None


_TOLD = (Role.BUYER, Role.OWNER, Role.FINANCE)


def _tell(context: OrderContext, refusal: Refused | None, at: datetime) -> None:
    facts = {"order": context.order.number, "operator": context.operator.name, "reason": str(refusal or "")}
    kind = "order.stuck" if refusal else "order.active"
    url = f"/console/buyer/orders/{context.order.number}/"
    notify(kind=kind, organisation=context.organisation, roles=_TOLD, facts=facts, url=url, at=at)
    if refusal:
        _tell_platform(kind, facts, at)


def _tell_extra(intent: PaymentIntent, what: str, at: datetime) -> None:
    amount = f"{Decimal(intent.amount_minor) / 100:,.2f}"
    facts = {"amount": amount, "order": what, "operator": intent.operator.name}
    url = "/console/buyer/orders/"
    notify(kind="payment.extra", organisation=intent.organisation, roles=_TOLD, facts=facts, url=url, at=at)
    _tell_platform("payment.extra", facts, at)


def _tell_platform(kind: str, facts: dict[str, Any], at: datetime) -> None:
    url, roles = "/console/platform/transfers/", (Role.FINANCE, Role.OWNER)
    for platform in Organisation.objects.filter(kind=OrganisationKind.PLATFORM):
        notify(kind=kind, organisation=platform, roles=roles, facts=facts, url=url, at=at)
