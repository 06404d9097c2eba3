"""The rules in the open: each jurisdiction's versions, what they say differently, what holds where and when."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from market.disclosure.rule_rows import (
    as_json,
    origin_of,
    pairs_of_diff,
    pairs_of_recheck,
    places,
    rows_in_force,
    rows_of_version,
    state_of,
)
from products.record import clock
from products.record.jurisdictions import LEVELS, NATIONAL, chain, is_place, level_of, place_name
from products.record.models import RuleSet
from products.record.rule_sets import diff, recheck, rules_on
from products.registry.rules import term_end
from products.registry.selectors import authorisations_public

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
TERM = "authorisation_max_years"


class PlaceForm(forms.Form):
    """A place and a day; both may be left out: the nation, today."""

    place = forms.CharField(label=_("Place"), max_length=6, required=False, help_text=_("CN, or a division code of six digits."))
    on = forms.DateField(label=_("Day"), required=False, widget=DATE)

    def clean_place(self) -> str:
        code = self.cleaned_data["place"].strip().upper() or NATIONAL
        if not is_place(code):
            raise forms.ValidationError(_("“%(code)s” is no division code.") % {"code": code})
        return code


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    found = places(RuleSet.objects.order_by("jurisdiction", "period", "id"), clock.today())
    return render(request, "market/disclosure/rules.html", {"places": found, "form": PlaceForm(), "today": clock.today()})


@require_safe
def rules_file(_request: HttpRequest) -> HttpResponse:
    return _json({"rule_sets": [as_json(each) for each in RuleSet.objects.order_by("jurisdiction", "period", "id")]})


@require_safe
def rule_set(request: HttpRequest, pk: int) -> HttpResponse:
    """A version: its source, what it sets, its neighbours in time and above it."""
    shown = get_object_or_404(RuleSet, pk=pk)
    steps = chain(shown.jurisdiction)
    others = list(RuleSet.objects.filter(jurisdiction__in=steps).exclude(pk=pk).order_by("period", "id"))
    own = [each for each in others if each.jurisdiction == shown.jurisdiction]
    context = {
        "rule_set": shown,
        "place": place_name(shown.jurisdiction),
        "level": LEVELS[level_of(shown.jurisdiction)],
        "state": state_of(shown, clock.today()),
        "rows": rows_of_version(shown),
        "before": next((each for each in reversed(own) if each.period.lower < shown.period.lower), None),
        "after": next((each for each in own if each.period.lower > shown.period.lower), None),
        "others": others,
        "names": {each.jurisdiction: place_name(each.jurisdiction) for each in others},
    }
    return render(request, "market/disclosure/rule_set.html", context)


@require_safe
def rule_set_file(_request: HttpRequest, pk: int) -> HttpResponse:
    return _json(as_json(get_object_or_404(RuleSet, pk=pk)))


@require_safe
def rule_diff(request: HttpRequest) -> HttpResponse:
    """Two versions against each other, of one place or of two."""
    older, newer = (_version(request.GET.get(name, "")) for name in ("older", "newer"))
    pairs = pairs_of_diff(diff(older, newer))
    same = len(set(older.parameters) & set(newer.parameters)) - sum(pair.kind == "changed" for pair in pairs)
    versions = [{"rule_set": each, "place": place_name(each.jurisdiction)} for each in (older, newer)]
    return render(request, "market/disclosure/rule_diff.html", {"versions": versions, "pairs": pairs, "same": same})


@require_safe
def rules_in_force(request: HttpRequest) -> HttpResponse:
    """What holds in a place on a day, each value with the version that sets it."""
    form = PlaceForm(request.GET or {"place": NATIONAL, "on": clock.today()})
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        place, on = form.cleaned_data["place"], form.cleaned_data["on"] or clock.today()
        found = rows_in_force(rules_on(on=on, jurisdiction=place))
        levels = [{"code": code, "name": place_name(code), "level": LEVELS[level_of(code)]} for code in chain(place)]
        context |= {"rows": found, "place": place_name(place), "code": place, "on": on, "levels": levels}
    return render(request, "market/disclosure/rules_in_force.html", context, status=200 if form.is_valid() else 422)


@require_safe
def rules_in_force_file(request: HttpRequest) -> HttpResponse:
    form = PlaceForm(request.GET)
    if not form.is_valid():
        problems = {field: [str(message) for message in messages] for field, messages in form.errors.items()}
        return _json({"errors": problems}, status=422)
    place, on = form.cleaned_data["place"], form.cleaned_data["on"] or clock.today()
    return _json({"jurisdiction": place, "on": on.isoformat(), "rules": rules_on(on=on, jurisdiction=place)})


@require_safe
def rules_of_authorisation(request: HttpRequest, number: str) -> HttpResponse:
    """The rules that an authorisation began under beside today's: it follows the first and can be judged by the second."""
    shown = get_object_or_404(authorisations_public().prefetch_related(None), number=number)
    region = shown.region or shown.authorising_body.region or NATIONAL
    today = clock.today()
    pairs = pairs_of_recheck(recheck(began=shown.from_date, on=today, jurisdiction=region))
    by_name = {pair.name: pair for pair in pairs}
    context = {
        "authorisation": shown,
        "place": place_name(region),
        "code": region,
        "today": today,
        "pairs": sorted(pairs, key=lambda pair: not pair.is_different),
        "different": sum(pair.is_different for pair in pairs),
        "terms": _terms(shown.from_date, shown.to_date, by_name[TERM]) if TERM in by_name else [],
    }
    return render(request, "market/disclosure/rules_of_authorisation.html", context)


def _terms(start: date, end: date, pair: Any) -> list[dict[str, Any]]:
    """The longest term under each of the two sets, and whether the agreed one fits."""
    found = []
    for words, rule in ((_("Under the rules it began under"), pair.then), (_("Under today's rules"), pair.now)):
        if rule is not None:
            last = term_end(start, rule["value"])
            found.append(
                {
                    "words": words,
                    "rule": rule,
                    "set_by": origin_of(rule),
                    "years": rule["value"],
                    "last": last,
                    "fits": end <= last,
                }
            )
    return found


def _version(pk: str) -> RuleSet:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 18):
        raise Http404
    return get_object_or_404(RuleSet, pk=int(pk))


def _json(content: dict[str, Any], status: int = 200) -> JsonResponse:
    response = JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Access-Control-Allow-Origin"] = "*"
    return response
