"""Forms of an authorisation's draft and scope. What the rules say comes from the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from market.storefront.templatetags.gongshu import local
from products.organisations.models import Organisation, OrganisationKind, OrganisationState
from products.registry.models import Authorisation, DataResource, OpenType, ProductType, Purpose, Scenario

CLAUSE = {"required": False, "widget": forms.Textarea(attrs={"rows": 4})}


class Day(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DraftForm(forms.Form):
    """An authorisation's facts, its five mandatory parts and the decision record; all may be filled in later but the first."""

    number = forms.CharField(label=_("Number"), max_length=60, help_text=_("As on the agreement."))
    title = forms.CharField(label=_("Title in Chinese"), max_length=200)
    title_en = forms.CharField(label=_("Title in English"), max_length=200, required=False)
    operator = forms.ModelChoiceField(label=_("Operator"), queryset=Organisation.objects.none())
    mode = forms.ChoiceField(label=_("Mode"), choices=Authorisation.Mode.choices, initial=Authorisation.Mode.SCENARIO)
    from_date = Day(label=_("First day"))
    to_date = Day(label=_("Last day"), help_text=_("At most five years after the first day."))
    operating_since = Day(
        label=_("Operating since"),
        required=False,
        help_text=_("Only where the operation ran before its first product was listed here: its first day."),
    )
    conditions = forms.CharField(label=_("1. Conditions of authorisation"), **CLAUSE)
    operating_model = forms.CharField(label=_("2. Mode of operation"), **CLAUSE)
    term_clause = forms.CharField(label=_("3. Term"), **CLAUSE)
    exit_clause = forms.CharField(label=_("4. Exit mechanism"), **CLAUSE)
    security_duties = forms.CharField(label=_("5. Security duties"), **CLAUSE)
    decision_reference = forms.CharField(
        label=_("Decision record"),
        max_length=100,
        required=False,
        help_text=_("Number of the minutes of the collective decision."),
    )
    decision_date = Day(label=_("Date of the decision"), required=False)
    evidence = forms.FileField(
        label=_("Decision record as a file"), required=False, help_text=_("PDF, image, Word, Excel, CSV or text, at most 10 MB.")
    )

    FACTS = ("number", "title", "title_en", "operator", "mode", "from_date", "to_date", "operating_since")
    PARTS = ("conditions", "operating_model", "term_clause", "exit_clause", "security_duties")
    DECISION = ("decision_reference", "decision_date", "evidence")
    KEPT = ("number", "operator")

    def __init__(self, *args: Any, authorisation: Authorisation | None = None, **kwargs: Any) -> None:
        if authorisation is not None:
            names = [name for name in (*self.FACTS, *self.PARTS, *self.DECISION) if name != "evidence"]
            kwargs["initial"] = {name: getattr(authorisation, name) for name in names}
        super().__init__(*args, **kwargs)
        verified = Organisation.objects.filter(kind=OrganisationKind.OPERATOR, state=OrganisationState.VERIFIED)
        operator = self.fields["operator"]
        operator.queryset = verified.order_by("name_key", "id")
        operator.label_from_instance = local
        for name in self.KEPT:
            self.fields[name].disabled = authorisation is not None

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields under the headings of the page."""
        named = [
            (_("Parties and term"), self.FACTS),
            (_("The five mandatory parts"), self.PARTS),
            (_("Decision record"), self.DECISION),
        ]
        return [(title, [self[name] for name in names]) for title, names in named]

    def values(self, *, is_change: bool) -> dict[str, Any]:
        """The services' arguments; the evidence apart."""
        left_out = {"evidence", *(self.KEPT if is_change else ())}
        return {name: value for name, value in self.cleaned_data.items() if name not in left_out}


class ScopeForm(forms.Form):
    """Scope items: each resource × product type × purpose × scenario that is chosen becomes one."""

    resources = forms.MultipleChoiceField(label=_("Data resources"), widget=forms.CheckboxSelectMultiple)
    types = forms.MultipleChoiceField(label=_("Product types"), choices=ProductType.choices, widget=forms.CheckboxSelectMultiple)
    purposes = forms.MultipleChoiceField(
        label=_("Purposes"),
        help_text=_("A purpose covers those below it. Keep Ctrl or ⌘ pressed to choose several."),
        widget=forms.SelectMultiple(attrs={"size": 10}),
    )
    scenarios = forms.MultipleChoiceField(label=_("Scenarios"), widget=forms.SelectMultiple(attrs={"size": 8}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.resources = {
            r.code: r for r in DataResource.objects.exclude(open_type=OpenType.CLOSED).select_related("provider").order_by("code")
        }
        choices = {
            "resources": [(r.code, f"{r.code} {local(r)} · {local(r.provider)}") for r in self.resources.values()],
            "purposes": [(p.code, f"{local(p)} ({p.code})") for p in Purpose.objects.order_by("code")],
            "scenarios": [(s.code, local(s)) for s in Scenario.objects.order_by("code")],
        }
        for name, found in choices.items():
            self.fields[name].choices = found

    def items(self) -> list[tuple[DataResource, str, str, str]]:
        given = self.cleaned_data
        return [
            (self.resources[resource], kind, purpose, scenario)
            for resource in given["resources"]
            for kind in given["types"]
            for purpose in given["purposes"]
            for scenario in given["scenarios"]
        ]
