"""The forms of the permitted-revenue pages. Rates are typed in per cent, money in yuan."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pricing.costs.models import CostFiling
from pricing.models import PermittedRevenue
from pricing.revenue.permitted_work import Inputs
from products.models import Authorisation

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
PLACES = {"max_digits": 9, "decimal_places": 4}


class FilingChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(_("%(year)s, version %(version)s, %(state)s")) % {
            "year": obj.year,
            "version": obj.version,
            "state": obj.get_state_display(),
        }


class DraftForm(forms.Form):
    """What a drafter puts in for one operation."""

    from_date = forms.DateField(label=_("First day"), widget=DATE)
    to_date = forms.DateField(label=_("Last day"), widget=DATE, help_text=_("Whole months; part years count by days"))
    filings = FilingChoice(
        CostFiling.objects.none(),
        label=_("Audited cost filings"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Of several years the mean counts"),
    )
    treasury_yield = forms.DecimalField(label=_("Ten-year treasury yield, %"), **PLACES)
    treasury_source = forms.CharField(
        label=_("Where the yield was published"), max_length=200, help_text=_("The average of the year before the period")
    )
    profit_rate = forms.DecimalField(label=_("Permitted profit rate, %"), **PLACES)
    assets = forms.DecimalField(
        label=_("Effective assets, yuan"),
        max_digits=16,
        decimal_places=2,
        required=False,
        help_text=_("Only where the rule set takes them as the base of the profit"),
    )
    income_tax_rate = forms.DecimalField(label=_("Income tax rate, %"), required=False, **PLACES)
    reason = forms.CharField(label=_("Remarks for the file"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, authorisation: Authorisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = CostFiling.objects.filter(authorisation=authorisation).exclude(state="withdrawn")
        self.fields["filings"].queryset = found.order_by("-year", "-version")

    def inputs(self) -> Inputs:
        data = self.cleaned_data
        assets, tax = data["assets"], data["income_tax_rate"]
        return Inputs(
            from_date=data["from_date"],
            last_date=data["to_date"],
            filings=list(data["filings"]),
            treasury_yield=data["treasury_yield"] / 100,
            treasury_source=data["treasury_source"],
            profit_rate=data["profit_rate"] / 100,
            assets_minor=None if assets is None else int(assets * 100),
            income_tax_rate=None if tax is None else tax / 100,
            reason=data["reason"],
        )


def initial_of(own: PermittedRevenue) -> dict[str, Any]:
    """A draft's inputs as the form shows them."""
    return {
        "from_date": own.period.lower,
        "to_date": own.period.upper - timedelta(days=1),
        "filings": list(own.filings.values_list("pk", flat=True)),
        "treasury_yield": plain(own.treasury_yield * 100),
        "treasury_source": own.treasury_source,
        "profit_rate": plain(own.profit_rate * 100),
        "assets": None if own.assets_minor is None else Decimal(own.assets_minor).scaleb(-2),
        "income_tax_rate": plain(own.income_tax_rate * 100),
        "reason": own.reason,
    }


def plain(value: Decimal) -> str:
    """7.830000 → 7.83"""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class OpinionForm(forms.Form):
    stance = forms.ChoiceField(
        label=_("Opinion"),
        choices=[("agree", _("We agree")), ("remark", _("We remark"))],
        widget=forms.RadioSelect,
        initial="agree",
    )
    text = forms.CharField(label=_("What we say"), required=False, widget=forms.Textarea(attrs={"rows": 3}))


class TextForm(forms.Form):
    text = forms.CharField(label=_("Remark"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class NoteForm(forms.Form):
    note = forms.CharField(label=_("What follows"), widget=forms.Textarea(attrs={"rows": 2}))


class ReportForm(forms.Form):
    authorisation = forms.ModelChoiceField(Authorisation.objects.none(), label=_("Operation"))
    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    summary = forms.CharField(label=_("How the year went"), widget=forms.Textarea(attrs={"rows": 5}))
    file = forms.FileField(label=_("The report"), required=False, help_text=_("PDF, Word, Excel, PNG, JPEG or text"))

    def __init__(self, *args: Any, authorisations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["authorisation"].queryset = authorisations
