"""Rows of a filing that stand out against the operator's past years and its peers. An estimate: it asks, it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

from pricing.costs.models import CostFiling, CostItem, CostNature
from pricing.estimation.outliers import CostRow, Outliers, Reason, cost_outliers

YEARS_BACK = 5


@dataclass(frozen=True)
class Unusual:
    """``marks``: the reasons by the row's id; ``past_years`` and ``peers``: how much there was to hold them against."""

    marks: dict[int, tuple[Reason, ...]]
    past_years: int
    peers: int


def unusual_rows(filing: CostFiling) -> Unusual:
    """What stands out in a filing, against live filings of the five years before it and of other operators up to its year."""
    around = CostFiling.objects.filter(state__in=["submitted", "audited"], year__range=(filing.year - YEARS_BACK, filing.year))
    others = around.exclude(authorisation=filing.authorisation_id, year=filing.year).order_by("id").values_list("id", flat=True)
    found = _findings(filing.pk, filing.year, filing.authorisation.operator_id, tuple(others))
    return Unusual({int(each.key): each.reasons for each in found.findings}, found.past_years, found.peers)


@lru_cache(maxsize=32)
def _findings(filing_id: int, year: int, operator_id: int, others: tuple[int, ...]) -> Outliers:
    """Filed rows never change, so the same filings give the same findings; kept, because an auditor turns many pages."""
    columns = ("id", "filing__authorisation__operator_id", "filing__year", "nature", "item", "amount_minor")
    rows = CostItem.objects.filter(filing__in=[filing_id, *others]).order_by("id").values_list(*columns)
    return cost_outliers(
        [CostRow(str(pk), str(operator), when, nature, item, amount) for pk, operator, when, nature, item, amount in rows],
        operator=str(operator_id),
        year=year,
    )


def reason_text(reason: Reason) -> str:
    """Why a row stands out, in the reader's language."""
    texts = {
        "jump": _("%(times)s times what its past years lead one to expect"),
        "drop": _("only %(percent)s %% of what its past years lead one to expect"),
        "high_share": _("%(times)s times what it weighs at other operators"),
        "low_share": _("only %(percent)s %% of what it weighs at other operators"),
        "other_nature": _("usually filed as %(usual)s"),
        "twice": _("another row has the same item, nature and amount"),
    }
    usual = dict(CostNature.choices).get(reason.usual, reason.usual)
    named = {"times": f"{reason.ratio:.1f}", "percent": f"{reason.ratio * 100:.0f}", "usual": usual}
    return texts[reason.code] % named
