"""Demand forecasts: what is expected, how the last ones did against the simple one, which is in use and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from market.consoles.estimates.csv_answer import csv_answer
from market.consoles.estimates.scope import for_console, products_of
from market.consoles.estimates.words import METHODS, REASONS
from market.storefront.charts import Band, Chart, Line, line_chart
from market.storefront.pricetags import unit_of
from pricing.models import Tariff
from settlement.models import DemandForecast, DemandOutlook
from settlement.oversight import forecasts

PAGE_SIZE = 50
SHOWN_MONTHS = 24
RECORD_MONTHS = 12


@dataclass(frozen=True)
class Row:
    """An outlook with its next month and how the forecasts before it did."""

    outlook: DemandOutlook
    label: str
    unit: str
    next: DemandForecast | None
    record: forecasts.Record | None

    @property
    def method(self) -> str | Promise:
        return METHODS[self.outlook.method]

    @property
    def tone(self) -> str:
        return {"model": "info", "too_little_data": "wait"}.get(self.outlook.method, "")


@require_safe
@for_console
def forecast_list(request: HttpRequest) -> HttpResponse:
    found = forecasts.latest_outlooks(products=products_of(request.membership.organisation))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": _rows(list(page.object_list)), "namespace": request.resolver_match.namespace}
    return render(request, "market/consoles/estimates/forecasts.html", context)


@require_safe
@for_console
def forecast_page(request: HttpRequest, code: str, component: str) -> HttpResponse:
    product = get_object_or_404(products_of(request.membership.organisation), code=code)
    found = forecasts.latest_outlooks(products=products_of(request.membership.organisation).filter(pk=product.pk))
    outlook = next((one for one in found if one.component == component), None)
    if outlook is None:
        raise Http404
    row = _rows([outlook])[0]
    ahead = forecasts.months_ahead(outlook=outlook)
    came = forecasts.came(product_ids=[product.pk]).get((product.pk, component), [])
    context = {
        "product": product,
        "row": row,
        "outlook": outlook,
        "ahead": ahead,
        "came": list(reversed(came))[:SHOWN_MONTHS],
        "chart": _chart(row, ahead, came),
        "reason": REASONS[outlook.reason],
        "namespace": request.resolver_match.namespace,
    }
    return render(request, "market/consoles/estimates/forecast.html", context)


@require_safe
@for_console
def forecast_csv(request: HttpRequest) -> HttpResponse:
    """Every month ahead of every product in one's scope."""
    outlooks = list(forecasts.latest_outlooks(products=products_of(request.membership.organisation)))
    ahead = DemandForecast.objects.filter(
        product__in={one.product_id for one in outlooks}, made_from__in={one.made_from for one in outlooks}
    )
    by_key: dict[tuple[int, str, date], list[DemandForecast]] = {}
    for one in ahead.order_by("month", "id"):
        by_key.setdefault((one.product_id, one.component, one.made_from), []).append(one)
    header = ["product", "component", "made_from", "method", "reason", "month", "low", "middle", "high", "baseline"]
    rows = [
        [o.product.code, o.component, o.made_from, o.method, o.reason, m.month, m.low, m.middle, m.high, m.baseline]
        for o in outlooks
        for m in by_key.get((o.product_id, o.component, o.made_from), [])
    ]
    return csv_answer("forecasts.csv", header, rows)


def _rows(outlooks: list[DemandOutlook]) -> list[Row]:
    ids = sorted({one.product_id for one in outlooks})
    labels = _labels(ids)
    starts = {one.made_from for one in outlooks}
    nexts = DemandForecast.objects.filter(product__in=ids, month__in=starts, made_from__in=starts)
    by_key = {(one.product_id, one.component, one.made_from): one for one in nexts if one.month == one.made_from}
    came = forecasts.came(product_ids=ids)
    rows = []
    for one in outlooks:
        label, unit = labels.get((one.product_id, one.component), (one.component, ""))
        record = forecasts.record_of(came.get((one.product_id, one.component), [])[-RECORD_MONTHS:])
        rows.append(Row(one, label, unit, by_key.get((one.product_id, one.component, one.made_from)), record))
    return rows


def _labels(product_ids: list[int]) -> dict[tuple[int, str], tuple[str, str]]:
    """(label, unit) of a product's components, by the newest tariff that has them."""
    found = Tariff.objects.filter(plan__product__in=product_ids).order_by("id").values_list("plan__product", "document")
    return {
        (product_id, component["code"]): (component.get("label") or component["code"], unit_of(component))
        for product_id, document in found
        for component in document["components"]
        if component["model"] != "flat"
    }


def _chart(row: Row, ahead: list[DemandForecast], came: list[forecasts.Came]) -> Chart:
    outlook = row.outlook
    known = {one.month: one.units for one in forecasts.volumes(product=outlook.product, component=outlook.component)}
    past = sorted(known)[-SHOWN_MONTHS:]
    said = {one.month: one for one in came} | {one.month: one for one in ahead}
    days = sorted({*past, *(one.month for one in ahead)})

    def values(name: str) -> list[Decimal | None]:
        return [getattr(said[day], name) if day in said else None for day in days]

    return line_chart(
        title=_("Charged use a month"),
        days=days,
        lines=[
            Line(_("What came"), [known.get(day) for day in days]),
            Line(_("Forecast"), values("middle"), is_dashed=True),
            Line(_("Simple forecast"), values("baseline"), is_dashed=True),
        ],
        band=Band(_("80 % are expected here"), values("low"), values("high")),
        unit=row.unit,
        note=_("Past forecasts are those made one month ahead. They are kept as they were made."),
    )
