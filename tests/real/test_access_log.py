"""10 000 real requests through the gateway, a closed month, and every count and every fen found again at each step."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum

from settlement.billing.models import Charge, Invoice, InvoiceLine
from settlement.billing.services import close_month, invoice_pay, minor
from settlement.ledger.models import Posting
from settlement.metering.models import Refusal, UsageEvent
from settlement.shares.models import Settlement, Share
from tests.real import prices, web_log
from tests.real.market import MAY, Market
from tests.real.replay import Answer, replay
from tests.real.report import figures
from tests.real.web_log import PRODUCTS

CLOSE = datetime.fromisoformat("2026-06-05T09:00:00+08:00")
Pair = tuple[int, str]


@pytest.fixture
def market(transactional_db, cast, clock, folder, tmp_path, monkeypatch) -> Market:
    monkeypatch.setenv("GONGSHU_PRODUCT_KEY_DIVISION_CHECK", bytes(range(32)).hex())
    market = Market(cast, folder, tmp_path, clock)
    market.open()
    return market


def test_a_month_of_real_requests_agrees_from_the_log_to_the_last_fen(market, folder):
    visits = web_log.visits(folder)
    counted = web_log.counted_by_awk(folder)
    assert sum(counted.values()) == int(web_log.awk(folder, f"{web_log.SERVED} {{ n++ }} END {{ print n }}")[0]) == 9171
    assert Counter((visit.organisation, visit.product) for visit in visits if visit.is_good) == counted

    answers = replay(market, visits)
    check_answers(market, answers)
    check_usage(market, visits, counted)
    check_again_unchanged(market)

    market.clock.move_to(CLOSE)
    closed = close_month(month=MAY, at=CLOSE)
    owed = check_charges(market, counted)
    check_invoices(market, owed)
    check_shares(market)
    check_ledger(market, is_paid=False)

    for invoice in Invoice.objects.order_by("id"):
        invoice_pay(invoice=invoice, amount_minor=minor(invoice.due), channel="bank", key=f"pay:{invoice.number}", at=CLOSE)
    check_ledger(market, is_paid=True)
    assert not close_month(month=MAY, at=CLOSE).is_new
    out = StringIO()
    call_command("verify", stdout=out)  # exits 1 where it finds something
    assert out.getvalue().endswith("nothing wrong\n")
    check_page(answers, closed)


def check_answers(market: Market, answers: list[Answer]) -> None:
    """Each good request got the answer that the file itself gives; each bad one a problem that says where, and no receipt."""
    receipts = set()
    for answer in answers:
        visit, document = answer.visit, answer.document
        if not visit.is_good:
            assert answer.status == 422, (visit, document)
            assert document["type"] == "/problems/input-refused" and document["errors"][0]["message"]
            continue
        assert answer.status == 200, (visit, document)
        receipts.add(document["receipt"]["id"])
        expected = market.files[visit.product].answer(visit.number)
        data = document["data"]
        if visit.product == "credit-default":
            assert abs(float(data["probability"]) - expected) < 1e-5
        else:
            assert {name: data[name] for name in expected} == expected, visit
    assert len(receipts) == 9171


def check_usage(market: Market, visits: list[web_log.Visit], counted: Counter[Pair]) -> None:
    """Metered = counted by awk, per organisation and product; each event has the time of its request; the rest are refusals."""
    names = {key.entitlement.pk: pair for pair, key in market.keys.items()}
    events = UsageEvent.objects.values_list("entitlement_id", "event_time", "book_month", "units", "is_free")
    assert Counter(names[entitlement] for entitlement, *_rest in events) == counted
    assert {(str(units), month, free) for _e, _at, month, units, free in events} == {("{'calls': '1'}", MAY, False)}
    assert Counter((names[e], at) for e, at, *_rest in events) == Counter(
        ((visit.organisation, visit.product), visit.at) for visit in visits if visit.is_good
    )
    refused = Refusal.objects.values_list("entitlement_id", "status", "reason")
    assert Counter(names[e] for e, _status, _reason in refused) == Counter(
        (visit.organisation, visit.product) for visit in visits if not visit.is_good
    )
    assert {(status, reason) for _e, status, reason in refused} == {(422, "input-refused")}


def check_again_unchanged(market: Market) -> None:
    """Publishing the same specs again changes nothing."""
    for code in PRODUCTS:
        assert "unchanged" in market.publish(code)


def check_charges(market: Market, counted: Counter[Pair]) -> dict[Pair, dict[str, int]]:
    """Charged = what a few lines of fen say of awk's count, for all 150 entitlements."""
    owed = {pair: prices.lines(pair[1], counted[pair]) for pair in market.keys}
    by_entitlement = {key.entitlement.pk: pair for pair, key in market.keys.items()}
    charges = {by_entitlement[charge.entitlement_id]: charge for charge in Charge.objects.all()}
    assert len(charges) == Charge.objects.count() == len(owed)
    for pair, charge in charges.items():
        total = sum(owed[pair].values())
        assert (minor(charge.total), minor(charge.net)) == (total, prices.net_of(total)), pair
        assert minor(charge.vat) == total - prices.net_of(total) and charge.free_value == 0
        assert charge.usage["units"]["calls"] == str(counted[pair])
    return owed


def check_invoices(market: Market, owed: dict[Pair, dict[str, int]]) -> None:
    """One invoice a buyer; its lines are the components, their net and VAT add up to its own."""
    assert Invoice.objects.count() == len(market.buyers)
    by_buyer = {buyer.pk: number for number, buyer in enumerate(market.buyers)}
    for invoice in Invoice.objects.annotate(payable=Sum("lines__payable"), parts=Sum("lines__net"), taxes=Sum("lines__vat")):
        number = by_buyer[invoice.buyer_id]
        totals = [sum(owed[number, code].values()) for code in PRODUCTS]
        assert minor(invoice.total) == minor(invoice.payable) == sum(totals)
        assert minor(invoice.net) == minor(invoice.parts) == sum(prices.net_of(total) for total in totals)
        assert invoice.vat == invoice.taxes and invoice.due == invoice.total
    for line in InvoiceLine.objects.select_related("charge__entitlement__product", "invoice"):
        pair = by_buyer[line.invoice.buyer_id], line.charge.entitlement.product.code
        assert minor(line.payable) == owed[pair][line.component]
    calls = InvoiceLine.objects.filter(component="calls").aggregate(units=Sum("units"))["units"]
    assert calls == 9171


def check_shares(market: Market) -> None:
    """Each invoice and agreement is divided 75 : 20 : 5 to the fen, and the statements add the parts up."""
    nets: dict[tuple[int, int], int] = defaultdict(int)
    for charge in Charge.objects.select_related("entitlement"):
        nets[charge.invoice_id, charge.entitlement.product_id] += minor(charge.net)
    found: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for share in Share.objects.select_related("agreement"):
        found[share.invoice_id, share.agreement.product_id][share.role] = share.amount_minor
    assert found == {key: prices.divided(net) for key, net in nets.items() if net}
    for statement in Settlement.objects.filter(month=MAY):
        parts = Share.objects.filter(party=statement.party).aggregate(sum=Sum("amount_minor"))["sum"]
        assert statement.accrued_minor == parts


def check_ledger(market: Market, *, is_paid: bool) -> None:
    """Plain sums of postings: owed by each buyer, revenue all divided, VAT and shares payable once the money is there."""
    balance: Counter[str] = Counter()
    for source, destination, amount in Posting.objects.values_list("source__path", "destination__path", "amount_minor"):
        balance[source] -= amount
        balance[destination] += amount
    operator = market.cast.operator.organisation.uscc
    for invoice in Invoice.objects.select_related("buyer"):
        owed = 0 if is_paid else minor(invoice.total)
        assert balance[f"receivable:{invoice.buyer.uscc}:{operator}"] == -owed
    sums = Invoice.objects.aggregate(total=Sum("total"), net=Sum("net"), vat=Sum("vat"))
    total, net, vat = (minor(sums[name]) for name in ("total", "net", "vat"))
    assert balance[f"revenue:{operator}"] == 0
    assert balance["clearing:bank"] == (-total if is_paid else 0)
    assert balance[f"vat:{operator}"] == (0 if is_paid else vat)
    divided = dict(Share.objects.values_list("party__uscc").annotate(sum=Sum("amount_minor")))
    assert sum(divided.values()) == net
    for uscc, amount in divided.items():
        assert balance[f"share:{uscc}:{operator}"] == (0 if is_paid else amount)
        assert balance[f"payable:{uscc}"] == ((amount + (vat if uscc == operator else 0)) if is_paid else 0)
    assert sum(balance.values()) == 0


def check_page(answers: list[Answer], closed) -> None:
    """docs/real-data.md says what happened here."""
    page = figures()
    sums = Invoice.objects.aggregate(total=Sum("total"), net=Sum("net"), vat=Sum("vat"))
    calls = dict(UsageEvent.objects.values_list("product__code").annotate(n=Count("*")))
    charged = dict(Charge.objects.values_list("entitlement__product__code").annotate(sum=Sum("total")))
    shares = dict(Share.objects.values_list("role").annotate(sum=Sum("amount_minor")))
    expected = {
        "requests in the log": len(answers),
        "good calls, counted by `awk`": sum(answer.visit.is_good for answer in answers),
        "usage events": UsageEvent.objects.count(),
        "bad inputs, refused with 422, free": Refusal.objects.filter(status=422).count(),
        "charges": closed.charges,
        "invoices": closed.invoices,
        "invoice lines": InvoiceLine.objects.count(),
        **{f"calls of `{code}`": calls[code] for code in PRODUCTS},
        **{f"yuan charged for `{code}`": charged[code] for code in PRODUCTS},
        "yuan invoiced": sums["total"],
        "of which net of VAT": sums["net"],
        "of which VAT": sums["vat"],
        **{f"yuan of the {role}'s share": f"{amount / 100:.2f}" for role, amount in shares.items()},
    }
    told = {name: f"{page[name]:f}" if name in page else "missing" for name in expected}
    assert told == {name: str(value) for name, value in expected.items()}
