"""The capability list for programs: JSON, CSV, Excel, and JSON-LD in the words of DCAT and schema.org."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import xlsxwriter
from django.conf import settings

from market.disclosure.capabilities import COLUMNS, Capability, Entry
from products.models import Organisation

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def address(operator: Organisation, ending: str = "") -> str:
    return f"{settings.PUBLIC_URL}/operators/{operator.slug}/capabilities{ending}"


def head(operator: Organisation, on: date) -> dict[str, Any]:
    return {
        "operator": {
            "uscc": operator.uscc,
            "name": operator.name,
            "name_en": operator.name_en,
            "slug": operator.slug,
            "complaint_channel": operator.complaint_contact,
        },
        "as_of": on.isoformat(),
        "currency": "CNY",
        "url": address(operator),
    }


def rows_of(entries: Sequence[Entry]) -> list[Capability]:
    return [row for entry in entries for row in entry.rows]


def as_json(operator: Organisation, entries: Sequence[Entry], on: date) -> bytes:
    document = head(operator, on) | {"columns": list(COLUMNS), "capabilities": [asdict(row) for row in rows_of(entries)]}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def as_csv(operator: Organisation, entries: Sequence[Entry], on: date) -> bytes:
    """UTF-8 with a byte-order mark, which Excel needs to read Chinese. Text that a spreadsheet would run is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(value) for value in asdict(row).values()] for row in rows_of(entries))
    return text.getvalue().encode("utf-8-sig")


def harmless(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def as_xlsx(operator: Organisation, entries: Sequence[Entry], on: date) -> bytes:
    """One sheet; amounts stay text, so that no spreadsheet rounds them."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("capabilities")
        bold = book.add_format({"bold": True, "bg_color": "#F0EFE9", "border": 1})
        sheet.write_row(0, 0, COLUMNS, bold)
        for number, row in enumerate(rows_of(entries), start=1):
            for column, value in enumerate(asdict(row).values()):
                sheet.write_string(number, column, value)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(rows_of(entries)), 1), len(COLUMNS) - 1)
        sheet.set_column(0, len(COLUMNS) - 1, 18)
    return content.getvalue()


def as_jsonld(operator: Organisation, entries: Sequence[Entry], on: date) -> bytes:
    """A dcat:Catalog of dcat:DataService, each with its schema:offers."""
    document = {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "schema": "https://schema.org/",
            "gongshu": f"{settings.PUBLIC_URL}/ns#",
        },
        "@id": address(operator, ".jsonld"),
        "@type": "dcat:Catalog",
        "dct:title": texts(operator.name, operator.name_en),
        "dct:modified": on.isoformat(),
        "dct:publisher": {
            "@type": "schema:Organization",
            "schema:name": texts(operator.name, operator.name_en),
            "schema:identifier": operator.uscc,
        },
        "dcat:service": [service(entry, operator) for entry in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def service(entry: Entry, operator: Organisation) -> dict[str, Any]:
    product = entry.product
    return {
        "@id": f"{settings.PUBLIC_URL}/products/{product.code}/",
        "@type": ["dcat:DataService", "schema:Service"],
        "dct:identifier": product.code,
        "dct:title": texts(product.name, product.name_en),
        "dct:description": texts(product.summary, product.summary_en),
        "dct:type": product.type,
        "dcat:endpointURL": f"{settings.PUBLIC_URL}/v1/products/{product.code}",
        "dcat:keyword": product.scenarios,
        "gongshu:purposes": product.purposes,
        "gongshu:status": product.state,
        "schema:provider": {"@type": "schema:Organization", "schema:identifier": operator.uscc},
        "schema:offers": [offer(row) for row in entry.rows],
    }


def offer(row: Capability) -> dict[str, Any]:
    """A price; ``gongshu:cap`` is the ceiling with the document that sets it."""
    price: dict[str, Any] = {
        "@type": "schema:UnitPriceSpecification",
        "schema:price": row.price,
        "schema:priceCurrency": "CNY",
        "schema:unitText": row.unit,
        "schema:valueAddedTaxIncluded": row.vat == "inclusive",
    }
    if row.above_units or row.up_to_units:
        price["schema:eligibleQuantity"] = {
            "@type": "schema:QuantitativeValue",
            "schema:minValue": row.above_units or "0",
            **({"schema:maxValue": row.up_to_units} if row.up_to_units else {}),
        }
    return {
        "@type": "schema:Offer",
        "schema:name": row.label or row.purpose_class,
        "schema:validFrom": row.in_force_from,
        "schema:priceSpecification": price,
        "gongshu:purposeClass": row.purpose_class,
        "gongshu:charge": row.charge,
        **({"gongshu:cap": row.cap, "gongshu:capDocument": row.cap_document} if row.cap else {}),
    }


def texts(chinese: str, english: str) -> list[dict[str, str]]:
    found = [{"@value": chinese, "@language": "zh-Hans"}]
    return found + ([{"@value": english, "@language": "en"}] if english else [])


FORMATS = {
    "json": ("application/json; charset=utf-8", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "jsonld": ("application/ld+json; charset=utf-8", as_jsonld),
}
