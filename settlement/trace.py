"""From a receipt, an invoice, an invoice line or a payout down to the registered resource: one chain, for page and command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pricing.revenue.models import Cap
from products.record.clock import business_date
from products.record.refusals import Refused
from settlement.billing.models import Charge, Invoice, InvoiceLine
from settlement.entitlements.models import Entitlement
from settlement.metering.models import ReceiptTree, UsageEvent
from settlement.metering.sealing import hour_of
from settlement.metering.selectors import archived_file, events_counted, usage_event
from settlement.shares.models import Payout

SOME = 5


class NothingToTrace(Refused):
    code = "nothing-to-trace"


@dataclass(slots=True)
class Link:
    """One thing of the chain: what it is, its number, facts about it, and what it stands on."""

    kind: str
    number: str
    facts: dict[str, str] = field(default_factory=dict)
    below: list[Link] = field(default_factory=list)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The chain as indented text."""
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items() if value)
        yield "  " * depth + f"{self.kind} {self.number}" + (f" ({facts})" if facts else "")
        for link in self.below:
            yield from link.lines(depth + 1)


def trace(identifier: str) -> Link:
    """The chain of a receipt id (uuid), payout number, invoice number, ``invoice number/position`` or invoice line id.

    Raises NothingToTrace where nothing has that number.
    """
    found = _receipt(identifier) or _payout(identifier) or _invoice(identifier) or _line(identifier)
    if found is None:
        raise NothingToTrace(_("No receipt, payout, invoice or invoice line has the number %(id)s.") % {"id": identifier})
    return found


def _receipt(identifier: str) -> Link | None:
    try:
        event = usage_event(usage_id=UUID(identifier))
    except ValueError:
        return None
    if event is None:
        return None
    facts = {"at": event.event_time.isoformat(), "purpose": event.purpose, "units": str(event.units)}
    charges = Charge.objects.filter(entitlement_id=event.entitlement_id, service_month=event.event_month, month=event.book_month)
    day = business_date(event.event_time)
    hits = [c for c in charges.order_by("from_date") if c.from_date <= day < c.to_date] or list(charges[:1])
    link = Link("receipt", str(event.id), facts, list(_tree(event)))
    if hits:
        lines = InvoiceLine.objects.filter(charge__in=hits).select_related("invoice").order_by("position")
        bill = [Link("invoice line", f"{line.invoice.number}/{line.position}", _line_facts(line)) for line in lines]
        link.below += [*bill, *(_charge(charge) for charge in hits)]
    else:
        link.below += [Link("not billed yet", event.book_month.strftime("%Y-%m")), _entitlement(event.entitlement_id)]
    return link


def _tree(event: UsageEvent) -> Iterator[Link]:
    """The published tree of the hour in which the event was received."""
    hour = hour_of(event.received_at)
    tree = ReceiptTree.objects.filter(hour=hour).defer("chunks", "first_ids").first()
    number = f"{hour:%Y-%m-%dT%H:%MZ}"
    if event.digest is None:
        yield Link("in no tree of receipts", "recorded before digests were kept")
    elif tree is None:
        yield Link("tree of receipts not sealed yet", number)
    else:
        root = {"size": str(tree.size), "root": bytes(tree.root).hex(), "chain": bytes(tree.chain).hex()}
        yield Link("tree of receipts", number, {"leaf": bytes(event.digest).hex()} | root)


def _payout(identifier: str) -> Link | None:
    payout = Payout.objects.filter(number=identifier).select_related("party").first()
    if payout is None:
        return None
    link = Link("payout", payout.number, {"to": payout.party.name, "yuan": _yuan(payout.amount_minor), "state": payout.state})
    for line in payout.lines.select_related("share__agreement__product", "share__product", "share__invoice", "invoice").order_by(
        "id"
    ):
        if line.share is not None:
            share = line.share
            facts = {"yuan": _yuan(line.amount_minor), "of": _yuan(share.amount_minor), "base": _yuan(share.base_minor)}
            part = Link("share", f"{share.invoice.number}/{share.label}/{share.position}", {"role": share.role, **facts})
            by = Link("agreement" if share.agreement else "the seller's own", share.label, {"product": share.of_product.code})
            part.below = [by, _invoice_link(share.invoice, share.of_product.pk)]
            link.below.append(part)
        elif line.invoice is not None:
            vat = Link("VAT of invoice", line.invoice.number, {"yuan": _yuan(line.amount_minor)})
            vat.below = [_invoice_link(line.invoice)]
            link.below.append(vat)
    return link


def _invoice(identifier: str) -> Link | None:
    invoice = Invoice.objects.filter(number=identifier).first()
    return _invoice_link(invoice) if invoice else None


def _line(identifier: str) -> Link | None:
    number, _slash, position = identifier.rpartition("/")
    lines = InvoiceLine.objects.select_related("invoice", "charge")
    if number and position.isdigit():
        line = lines.filter(invoice__number=number, position=int(position)).first()
    else:
        line = lines.filter(id=int(identifier)).first() if identifier.isdigit() else None
    return _line_link(line) if line else None


def _invoice_link(invoice: Invoice, product_id: int | None = None) -> Link:
    facts = {"operator": invoice.operator.name, "buyer": invoice.buyer.name, "total": str(invoice.total), "state": invoice.state}
    lines = invoice.lines.select_related("invoice", "charge__entitlement").order_by("position")
    if product_id is not None:
        lines = lines.filter(charge__entitlement__product_id=product_id)
    return Link("invoice", invoice.number, facts, [_line_link(line) for line in lines])


def _line_facts(line: InvoiceLine) -> dict[str, str]:
    return {
        "component": line.component,
        "units": f"{line.units.normalize():f}",
        "payable": str(line.payable),
        "net": str(line.net),
    }


def _line_link(line: InvoiceLine) -> Link:
    return Link("invoice line", f"{line.invoice.number}/{line.position}", _line_facts(line), [_charge(line.charge)])


def _charge(charge: Charge) -> Link:
    service = {"service month": f"{charge.service_month:%Y-%m}", "total": str(charge.total), "free value": str(charge.free_value)}
    link = Link("charge", str(charge.id), service | {"inputs": charge.inputs_digest[:16]})
    if charge.tariff is not None:
        tariff = charge.tariff
        facts = {"version": str(tariff.version), "from": tariff.period.lower.isoformat(), "document": tariff.digest[:16]}
        link.below.append(Link("tariff", f"{tariff.plan.product.code}/{tariff.plan.code}", facts, list(_caps(charge))))
    link.below += [_events(charge), _entitlement(charge.entitlement_id)]
    return link


def _caps(charge: Charge) -> Iterator[Link]:
    """The caps in force over the charge's first day, for the classes of the entitlement's purposes."""
    classes = {purpose.split(".")[0] for purpose in charge.entitlement.purposes}
    caps = Cap.objects.filter(
        product_id=charge.entitlement.product_id, purpose_class__in=classes, period__contains=charge.from_date
    ).select_related("filing")
    for cap in caps.order_by("purpose_class", "basis", "flat_period", "id"):
        facts = {"class": cap.purpose_class, "basis": cap.basis, "period": cap.flat_period, "yuan": f"{cap.amount.normalize():f}"}
        yield Link("cap", cap.filing.document_no, facts)


def _events(charge: Charge) -> Link:
    used = {"entitlement_id": charge.entitlement_id, "event_month": charge.service_month}
    events = UsageEvent.objects.filter(**used, book_month__lte=charge.month_id).order_by("event_time", "id")
    some = ", ".join(str(number) for number in events.values_list("id", flat=True)[:SOME])
    facts = {"first": some, "archived": archived_file(event_month=charge.service_month)}
    return Link("usage events", str(events_counted(**used, booked_until=charge.month_id)), facts)


def _entitlement(entitlement_id: int) -> Link:
    holder = Entitlement.objects.select_related("product__authorisation__authorising_body", "plan", "grant", "organisation").get(
        pk=entitlement_id
    )
    facts = {"of": holder.organisation.name, "purposes": " ".join(holder.purposes), "order": holder.order_number}
    if holder.grant is not None:
        facts["grant"] = holder.grant.number
    product = holder.product
    below = Link("product", product.code, {"name": product.name, "operator": product.operator.name})
    for release in product.releases.filter(state="active").order_by("-version"):
        below.below.append(Link("release", str(release.version), {"sha256": release.sha256[:16]}))
    if product.authorisation is not None:
        grant = product.authorisation
        by = {"by": grant.authorising_body.name, "from": grant.from_date.isoformat(), "to": grant.to_date.isoformat()}
        below.below.append(Link("authorisation", grant.number, by))
    for registration in product.registrations.order_by("code"):
        below.below.append(Link("registration", registration.code, {"level": registration.level}))
    for resource in product.resources.select_related("provider").order_by("code"):
        codes = [Link("registration", r.code, {"level": r.level}) for r in resource.registrations.order_by("code")]
        below.below.append(Link("resource", resource.code, {"name": resource.name, "provider": resource.provider.name}, codes))
    return Link("entitlement", holder.code, facts, [below])


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
