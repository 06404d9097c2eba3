"""The working-day calendar as readers want it: twelve months with what differs from the weekday, and a counter."""

from __future__ import annotations

import calendar as months
from datetime import date
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from market.consoles.rules.menu import KINDS
from market.storefront.access import role_required
from products.record import clock
from products.record.calendar import Calendar, YearNotLoaded, add_working_days, load, working_days_between
from products.record.models import CalendarYear

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CountForm(forms.Form):
    """Working days after a day, or up to another."""

    start = forms.DateField(label=_("Day of the event"), widget=DATE, help_text=_("Not counted: the next working day is day 1."))
    days = forms.IntegerField(label=_("Working days"), min_value=0, max_value=1000, required=False)
    end = forms.DateField(label=_("or up to and including"), widget=DATE, required=False)

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or {}
        if not self.errors and (fields.get("days") is None) == (fields.get("end") is None):
            self.add_error("days", _("Give a number of working days or a last day, not both."))
        return fields


@require_safe
@role_required(kinds=KINDS)
def calendar(request: HttpRequest) -> HttpResponse:
    """A loaded year month by month; ``?start=…&days=…`` counts. A year that is not loaded says so and is never guessed."""
    today = clock.today()
    loaded = {year.year: year for year in CalendarYear.objects.prefetch_related("days").order_by("year")}
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and 2000 <= int(asked) <= 2100 else today.year
    form = CountForm(request.GET if "start" in request.GET else None, initial={"start": today})
    context: dict[str, Any] = {"years": loaded, "year": year, "shown": loaded.get(year), "form": form, "today": today}
    if year in loaded:
        exceptions = {day.day: day for day in loaded[year].days.all()}
        context["months"] = [_month(year, number, exceptions) for number in range(1, 13)]
        context["changes"] = sorted(exceptions.values(), key=lambda day: day.day)
    if form.is_bound and form.is_valid():
        context["result"] = count(load(), **form.cleaned_data)
    return render(request, "market/consoles/rules/calendar.html", context, status=422 if form.is_bound and form.errors else 200)


def count(calendar: Calendar, *, start: date, days: int | None, end: date | None) -> dict[str, Any]:
    """{"start", "end", "days"}, or {"missing_year"} where a year on the way is not loaded."""
    try:
        if end is None:
            return {"start": start, "end": add_working_days(start, days or 0, calendar=calendar), "days": days}
        return {"start": start, "end": end, "days": working_days_between(start, end, calendar=calendar)}
    except YearNotLoaded as missing:
        return {"missing_year": missing.year}


def _month(year: int, number: int, exceptions: dict[date, Any]) -> dict[str, Any]:
    """A month in weeks from Monday; a cell is None outside it, else the day, its kind and what a reader should be told."""
    weeks = []
    working = 0
    for week in months.Calendar(firstweekday=0).monthdatescalendar(year, number):
        cells: list[dict[str, Any] | None] = []
        for day in week:
            if day.month != number:
                cells.append(None)
                continue
            cell = _day(day, exceptions.get(day))
            working += cell["is_working"]
            cells.append(cell)
        weeks.append(cells)
    return {"first": date(year, number, 1), "weeks": weeks, "working": working}


def _day(day: date, change: Any) -> dict[str, Any]:
    if change is None:
        is_working = day.weekday() < 5
        return {"day": day, "is_working": is_working, "kind": "" if is_working else "weekend", "mark": "", "title": ""}
    if change.is_working:
        return {"day": day, "is_working": True, "kind": "extra", "mark": _("work"), "title": _("Working weekend")}
    return {"day": day, "is_working": False, "kind": "holiday", "mark": _("off"), "title": change.name or _("Holiday")}
