"""The forms of the authorising body's console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from pricing.tariffs.price_list import BASIS_WORDS, UNIT_WORDS
from products.models import DataProduct
from products.registry.models import PurposeClass

PERIODS = ("day", "week", "month", "quarter", "year")
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CapForm(forms.Form):
    """The head of a cap document."""

    product = forms.ModelChoiceField(DataProduct.objects.none(), label=_("Product"))
    document = forms.CharField(label=_("Document number"), max_length=100)
    from_date = forms.DateField(label=_("In force from"), widget=DATE)
    purposes = forms.MultipleChoiceField(
        label=_("Purpose classes"),
        choices=[(c.value, c.label) for c in (PurposeClass.INDUSTRY, PurposeClass.SECTOR)],
        widget=forms.CheckboxSelectMultiple,
        initial=["industry"],
    )

    def __init__(self, *args: Any, products: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = products


class CapRow(forms.Form):
    """One cap: so much per unit of a basis."""

    basis = forms.ChoiceField(label=_("Charged by"), choices=[("", "–"), *BASIS_WORDS.items()], required=False)
    period = forms.ChoiceField(
        label=_("Period (service time only)"), choices=[("", "–"), *((p, UNIT_WORDS[p]) for p in PERIODS)], required=False
    )
    cap = forms.CharField(label=_("Cap, yuan per unit"), required=False, max_length=30)
    expected = forms.CharField(label=_("Expected charged units a year"), required=False, max_length=25)
    capacity = forms.CharField(label=_("Design capacity a year"), required=False, max_length=25)

    def volume(self) -> dict[str, str | None] | None:
        """The row's volumes as a filing keeps them; None where none are stated."""
        data = self.cleaned_data
        entry, expected, capacity = self.entry(), data.get("expected", "").strip(), data.get("capacity", "").strip()
        if entry is None or not (expected or capacity):
            return None
        named = {name: value for name, value in entry.items() if name != "cap"}
        return named | {"expected": expected or "0", "capacity": capacity or None}

    def entry(self) -> dict[str, str] | None:
        """The row as the cap document has it; None where the row is empty."""
        data = self.cleaned_data
        if not data.get("basis") and not data.get("cap"):
            return None
        found = {"basis": data.get("basis", ""), "cap": data.get("cap", "").strip()}
        return found | ({"period": data.get("period", "")} if data.get("basis") == "periods" else {})


CapRows = formset_factory(CapRow, extra=4, max_num=12)


class ReportForm(forms.Form):
    report_no = forms.CharField(
        label=_("Number of your own letter, if you sent one"),
        required=False,
        max_length=100,
        help_text=_("Leave it empty and the report is written here, numbered, with every cap and its arithmetic."),
    )
    file = forms.FileField(label=_("The letter"), required=False, help_text=_("PDF, Word, Excel, PNG, JPEG or text"))


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"), choices=[("grant", _("Grant")), ("refuse", _("Refuse"))], widget=forms.RadioSelect
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))
    quota = forms.IntegerField(label=_("Quota over the whole term"), min_value=1, required=False)
    from_date = forms.DateField(label=_("First day"), widget=DATE, required=False)
    to_date = forms.DateField(label=_("Last day"), widget=DATE, required=False)
    conditions = forms.CharField(label=_("Conditions"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class NoteForm(forms.Form):
    note = forms.CharField(label=_("What is to be corrected"), widget=forms.Textarea(attrs={"rows": 3}))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
