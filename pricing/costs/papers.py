"""The numbered document of a finished audit: what was filed, what counts, what was overruled and why. In Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext as _

from pricing.bodies import overseers, region_of_authorisation
from pricing.costs.explain import rule_label, rule_reason
from pricing.costs.models import CostFiling, CostNature
from pricing.costs.selectors import Total, totals, whole
from products.organisations.models import Organisation, User
from products.record.documents import issue
from products.record.models import IssuedDocument
from products.record.pdf import Facts, Heading, Section, Table, Text

MOST_OVERRULED = 200


def yuan(minor: int) -> str:
    """Fen as yuan for people: ``123456789`` → ``1,234,567.89``."""
    return f"{Decimal(minor).scaleb(-2):,.2f}"


def audit_conclusion(filing: CostFiling, *, issuer: Organisation, user: User, at: datetime) -> IssuedDocument:
    """Issue the conclusion of an audit that has just been finished; the operator and the data bureau may read it."""
    bureaus = overseers(kind="data_bureau", region=region_of_authorisation(filing.authorisation))[:1]
    with translation.override("zh-hans"):
        named = {"operator": filing.authorisation.operator.name, "year": filing.year}
        return issue(
            issuer=issuer,
            kind="cost_audit",
            title=_("Conclusion of the audit of costs of %(operator)s in %(year)s") % named,
            obj=filing,
            sections=sections(filing),
            user=user,
            at=at,
            readers=[filing.authorisation.operator, *bureaus],
        )


def sections(filing: CostFiling) -> Sequence[Section]:
    items = filing.items.all()
    by_nature, by_rule = totals(items, "nature"), totals(items, "rule")
    total = whole(by_rule)
    natures = dict(CostNature.choices)
    found: list[Section] = [
        Facts(
            [
                (_("Authorisation"), filing.authorisation.number),
                (_("Accounting year"), str(filing.year)),
                (_("Version filed"), str(filing.version)),
                (_("File"), f"{filing.file.file_name} (SHA-256 {filing.file.sha256[:16]}…)"),
                (_("Filed, yuan"), yuan(total.amount_minor)),
                (_("Operating cost, yuan"), yuan(total.counted_minor)),
                (_("Does not count, yuan"), yuan(total.refused_minor)),
            ]
        ),
        Heading(_("By nature")),
        _table(_("Nature"), [(str(natures.get(row.code, row.code)), row) for row in by_nature]),
        Heading(_("By rule")),
        _table(_("Rule"), [(rule_label(row.code), row) for row in by_rule]),
        Text("\n".join(f"{rule_label(row.code)}：{rule_reason(row.code)}" for row in by_rule)),
    ]
    overruled = items.filter(overruled_minor__isnull=False).order_by("row")[:MOST_OVERRULED]
    if overruled:
        head = [_("Row"), _("Item"), _("Filed, yuan"), _("By rule, yuan"), _("Counts, yuan"), _("Reason")]
        rows = [
            [
                str(item.row),
                item.item,
                yuan(item.amount_minor),
                yuan(item.admitted_minor),
                yuan(item.counted_minor),
                item.overruled_reason,
            ]
            for item in overruled
        ]
        sides = ["right", "left", "right", "right", "right", "left"]
        found += [Heading(_("Overruled rows")), Table(head, rows, sides, [1, 4, 3, 3, 3, 5])]
    return [*found, Heading(_("Opinion")), Text(filing.decision_reason)]


def _table(first: str, rows: Sequence[tuple[str, Total]]) -> Table:
    head = [first, _("Number of rows"), _("Filed, yuan"), _("Counts, yuan"), _("Does not count, yuan")]
    lines = [
        [label, str(row.rows), yuan(row.amount_minor), yuan(row.counted_minor), yuan(row.refused_minor)] for label, row in rows
    ]
    return Table(head, lines, ["left", "right", "right", "right", "right"], [3, 1, 2, 2, 2])
