"""An invoice as CSV and JSON; money in yuan as text, so that no reader rounds it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from settlement.billing.selectors import Bill

COLUMNS = ("position", "product", "entitlement", "service_month", "tariff", "component", "label", "units")
AMOUNTS = ("gross", "discount", "payable", "net", "vat")
NUMBERS = frozenset(("units", *AMOUNTS))
RUN_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_rows(bill: Bill) -> list[dict[str, str]]:
    """One row a line; the sums of net and vat are the invoice's."""
    return [
        {
            "position": str(row.line.position),
            "product": row.product_code,
            "entitlement": row.entitlement,
            "service_month": row.service_month,
            "tariff": row.tariff,
            "component": row.line.component,
            "label": row.line.label,
            "units": f"{row.line.units.normalize():f}",
            **{name: str(getattr(row.line, name)) for name in AMOUNTS},
        }
        for row in bill.lines
    ]


def as_csv(bill: Bill) -> str:
    """The lines as CSV with a heading row and a byte-order mark, which spreadsheets need for Chinese; formulas are defused."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, *AMOUNTS], lineterminator="\r\n")
    writer.writeheader()
    for row in as_rows(bill):
        writer.writerow({name: _harmless(value, is_amount=name in NUMBERS) for name, value in row.items()})
    return "\ufeff" + out.getvalue()


def _harmless(value: str, *, is_amount: bool) -> str:
    """Text that a spreadsheet would run is quoted; a negative amount stays a number."""
    return f"'{value}" if value.startswith(RUN_STARTS) and not is_amount else value


def as_document(bill: Bill) -> dict[str, Any]:
    """The invoice as a document: parties, sums, lines with the usage document and the tariff digest that give them."""
    invoice = bill.invoice
    parties = {
        name: {"uscc": org.uscc, "name": org.name} for name, org in (("operator", invoice.operator), ("buyer", invoice.buyer))
    }
    lines = [
        {**row, "usage": found.line.charge.usage, "inputs_digest": found.line.charge.inputs_digest, "steps": list(found.steps)}
        for row, found in zip(as_rows(bill), bill.lines, strict=True)
    ]
    amounts = ("total", "net", "vat", "drawn_from_deposit", "due", "paid")
    return {
        "number": invoice.number,
        "month": f"{invoice.month_id:%Y-%m}",
        **parties,
        "currency": "CNY",
        **{name: str(getattr(invoice, name)) for name in amounts},
        "issued": invoice.issued_date.isoformat(),
        "due_date": invoice.due_date.isoformat(),
        "state": invoice.state,
        "digest": invoice.digest,
        "lines": lines,
    }


def as_json(bill: Bill) -> str:
    return json.dumps(as_document(bill), ensure_ascii=False, indent=1)
