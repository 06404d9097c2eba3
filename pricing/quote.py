"""The one price door: page, basket, charge and invoice all get their price here.

`quote(tariff, usage)` takes documents. Callers that hold parsed terms use `quote_terms`; the close, which rates very
many lines and needs no words, calls `pricing.rules.rate` under it.
"""

from dataclasses import dataclass
from typing import Any

from pricing.documents import parse_quote_documents
from pricing.rules import Line, Rated, Step, Tariff, Usage, effective_unit_prices, line_steps, rate
from pricing.rules.exact import plain, quantity, yuan
from pricing.rules.steps import tax_steps


@dataclass(frozen=True, slots=True)
class Quote:
    """A rated usage together with the terms it was rated under; amounts in fen on `rated`."""

    tariff: Tariff
    usage: Usage
    rated: Rated

    def steps(self, line: Line) -> list[Step]:
        """How the line came about (`pricing.explain` puts it into words)."""
        return line_steps(self.tariff, self.usage, line)

    def tax_steps(self) -> list[Step]:
        return tax_steps(self.tariff, self.rated.total_minor, self.rated.net_minor, self.rated.vat_minor)

    def as_dict(self) -> dict[str, Any]:
        """The answer document of design.md section 7 (`pricing/schemas/quote.schema.json`)."""
        rated = self.rated
        effective = effective_unit_prices(self.tariff, rated, self.usage)
        return {
            "lines": [self.line_dict(line) for line in rated.lines],
            "total": yuan(rated.total_minor),
            "net": yuan(rated.net_minor),
            "vat": yuan(rated.vat_minor),
            "free_value": yuan(rated.free_value_minor),
            "effective_unit_price": {code: plain(price, 6, 6) for code, price in effective.items()},
        }

    def line_dict(self, line: Line) -> dict[str, Any]:
        return {
            "component": line.component,
            "units": quantity(line.units_micro),
            "gross": yuan(line.gross_minor),
            "discount": yuan(line.discount_minor),
            "payable": yuan(line.payable_minor),
            "trace": [step.text for step in self.steps(line)],
        }


def quote_terms(*, tariff: Tariff, usage: Usage) -> Quote:
    """The price of a usage under parsed terms."""
    return Quote(tariff, usage, rate(tariff, usage))


def quote(tariff: Any, usage: Any, names: tuple[str, str] = ("tariff", "usage")) -> dict[str, Any]:
    """The answer document for a tariff and a usage document; raises `documents.DocumentRefused` with all that is wrong.

    Both are what JSON gives: dicts, lists, strings, booleans. A number where a decimal string belongs is refused.
    """
    terms, used = parse_quote_documents(tariff, usage, names)
    return quote_terms(tariff=terms, usage=used).as_dict()
