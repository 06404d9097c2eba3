"""The forms of cost filings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from pricing.costs.explain import LABELS
from pricing.costs.models import CostFunding, CostItem, CostNature
from pricing.costs.rules import MOST_PARTS
from products.registry.models import Authorisation

ANY = [("", _("all"))]
YEARS_SHOWN = 6


class AuthorisationChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number} {obj.title}"


class UploadForm(forms.Form):
    """Which authorisation and year, and the ledger file."""

    authorisation = AuthorisationChoice(Authorisation.objects.none(), label=_("Authorisation"))
    year = forms.TypedChoiceField(label=_("Accounting year"), coerce=int)
    file = forms.FileField(
        label=_("Ledger file"),
        help_text=_(
            "Excel (.xlsx) or CSV, at most 10 MB and 5,000 rows. Next you see what would be admitted; nothing is filed yet."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv"}),
    )

    def __init__(self, *args: Any, authorisations: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["authorisation"].queryset = authorisations
        years = range(today.year - 1, today.year - 1 - YEARS_SHOWN, -1)
        self.fields["year"].choices = [(year, str(year)) for year in years]


class StatementForm(forms.Form):
    statement = forms.CharField(
        label=_("Statement to the price regulator"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What a reader of the ledger should know: changes against last year, large items, how evidence is kept."),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class OverruleForm(forms.Form):
    """Another admitted amount of one row, in yuan."""

    amount = forms.DecimalField(label=_("Admit, yuan"), max_digits=14, decimal_places=2, min_value=Decimal("0.00"))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, *args: Any, item: CostItem, **kwargs: Any) -> None:
        initial = {"amount": Decimal(item.counted_minor).scaleb(-2)}
        super().__init__(*args, initial=initial, auto_id=f"id_{item.pk}_%s", **kwargs)
        self.fields["amount"].widget.attrs["autofocus"] = True  # the row opens where the keyboard is

    def minor(self) -> int:
        return int(self.cleaned_data["amount"].scaleb(2))


class RowFilter(forms.Form):
    """Which rows of a ledger are shown."""

    nature = forms.ChoiceField(label=_("Nature"), choices=[*ANY, *CostNature.choices], required=False)
    funding = forms.ChoiceField(label=_("Funding source"), choices=[*ANY, *CostFunding.choices], required=False)
    line = forms.ChoiceField(label=_("Business line"), required=False)
    rule = forms.ChoiceField(label=_("Rule"), choices=[*ANY, *LABELS.items()], required=False)
    show = forms.ChoiceField(
        label=_("Show"),
        choices=[*ANY, ("admitted", _("something admitted")), ("refused", _("nothing admitted")), ("overruled", _("overruled"))],
        required=False,
    )
    q = forms.CharField(label=_("Item or evidence"), required=False, max_length=100)

    def __init__(self, *args: Any, lines: list[tuple[str, str]], marked: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].choices = [*ANY, *lines]
        if marked:
            self.fields["show"].choices = [*self.fields["show"].choices, ("unusual", _("unusual"))]


class RuleForm(forms.Form):
    """An allocation rule without its parts."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        validators=[RegexValidator(r"^[a-z0-9]+(?:-[a-z0-9]+)*$", _("Lower-case letters, digits and hyphens."))],
        help_text=_("The ledger names the rule by it, for example staff-hours. A code that is there gets its next version."),
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    driver = forms.CharField(
        label=_("What it follows"), max_length=100, help_text=_("Working hours, machine hours, floor space, storage used …")
    )
    reason = forms.CharField(
        label=_("Why these shares"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where the figures come from, and what changed against the version before."),
    )


class PartForm(forms.Form):
    business_line = forms.CharField(
        label=_("Business line"), required=False, max_length=60, widget=forms.TextInput(attrs={"list": "lines"})
    )
    percent = forms.CharField(label=_("Per cent"), required=False, max_length=12)

    def part(self) -> dict[str, str] | None:
        """The row as a part of the rule; None where it is empty."""
        found = {name: str(self.cleaned_data.get(name, "")).strip() for name in ("business_line", "percent")}
        return found if any(found.values()) else None


PartForms = formset_factory(PartForm, extra=3, max_num=MOST_PARTS, absolute_max=MOST_PARTS + 5)
