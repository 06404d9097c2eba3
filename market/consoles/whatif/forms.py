"""The bench's forms: which part of history, and what to change; what was typed becomes a draft document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from market.consoles.tariffs.forms import TariffForm
from market.consoles.whatif.figures import local
from pricing.tariffs.price_list import BASIS_WORDS
from products.models import Organisation
from products.organisations.models import OrganisationSize
from settlement.billing.rules import next_month
from settlement.whatif.estimates import DEFAULTS

MONTH = forms.DateInput(attrs={"type": "month"}, format="%Y-%m")
MOST_CAPS = 200
MOST_MONTHS = 36


class ScopeForm(forms.Form):
    """An operator or a sector, and whole months. Sent with GET, so that a scope has an address."""

    operator = forms.ChoiceField(label=_("Operator"), required=False)
    sector = forms.ChoiceField(label=_("Or a sector"), required=False)
    from_month = forms.DateField(label=_("From month"), widget=MONTH, input_formats=["%Y-%m"])
    last_month = forms.DateField(label=_("To month, included"), widget=MONTH, input_formats=["%Y-%m"])
    with_running = forms.BooleanField(label=_("With months that are not closed yet, as they stand"), required=False)
    percent = forms.IntegerField(
        label=_("Change every cap by, %"),
        required=False,
        min_value=-100,
        max_value=100,
        help_text=_("−10 proposes caps a tenth lower"),
    )
    plan = forms.ChoiceField(label=_("Write another tariff for a plan"), required=False)

    def __init__(
        self,
        *args: Any,
        operators: Sequence[Organisation],
        sectors: Sequence[str],
        plans: Sequence[tuple[int, str]] = (),
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        empty = [("", "–")] if len(operators) != 1 or sectors else []
        self.fields["operator"].choices = [*empty, *((each.slug, local(each)) for each in operators)]
        self.fields["sector"].choices = [("", "–"), *((each, each) for each in sectors)]
        self.fields["plan"].choices = [("", "–"), *((str(pk), name) for pk, name in plans)]
        if not sectors:
            del self.fields["sector"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from_month"), data.get("last_month")
        if not data.get("operator") and not data.get("sector"):
            self.add_error("operator", _("Choose an operator or a sector."))
        elif data.get("operator") and data.get("sector"):
            self.add_error("sector", _("Choose an operator or a sector, not both."))
        if first and last and last < first:
            self.add_error("last_month", _("The last month lies before the first."))
        elif first and last and (last.year - first.year) * 12 + last.month - first.month >= MOST_MONTHS:
            self.add_error("last_month", _("At most %(most)s months at once.") % {"most": MOST_MONTHS})
        return data

    @property
    def months(self) -> tuple[date, date]:
        """[first, the month after the last)."""
        return self.cleaned_data["from_month"], next_month(self.cleaned_data["last_month"])


def last_quarter(today: date) -> tuple[date, date]:
    """First and last month of the quarter that ended last."""
    first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    last = (first - timedelta(days=1)).replace(day=1)
    return date(last.year, last.month - 2, 1), last


class DraftForm(forms.Form):
    """What to change beside caps and a tariff."""

    discount_percent = forms.DecimalField(
        label=_("Discount, %"), required=False, min_value=0, max_value=100, max_digits=9, decimal_places=6
    )
    discount_sizes = forms.MultipleChoiceField(
        label=_("For buyers of these sizes"),
        required=False,
        choices=OrganisationSize.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: for all"),
    )
    discount_products = forms.MultipleChoiceField(
        label=_("For these products"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None chosen: for all")
    )
    free_purposes = forms.MultipleChoiceField(
        label=_("These purposes become free"), required=False, widget=forms.CheckboxSelectMultiple
    )
    quota_units = forms.DecimalField(
        label=_("First units of each month free"),
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=6,
        help_text=_("For each entitlement; they move no tier"),
    )
    quota_basis = forms.ChoiceField(
        label=_("Counted as"), required=False, choices=[(k, v) for k, v in BASIS_WORDS.items() if k != "periods"], initial="calls"
    )
    with_estimates = forms.BooleanField(label=_("Estimate how demand might answer"), required=False)
    elasticity = forms.CharField(
        label=_("Price elasticity of volume"),
        required=False,
        initial=DEFAULTS["elasticity"],
        max_length=10,
        help_text=_("−0.5: a price lower by 10 % raises the volume by about 5 %"),
    )
    elasticity_error = forms.CharField(
        label=_("Its standard error"), required=False, initial=DEFAULTS["elasticity_error"], max_length=10
    )
    forecast_error = forms.CharField(
        label=_("Standard error of the volume forecast"), required=False, initial=DEFAULTS["forecast_error"], max_length=10
    )
    draws = forms.CharField(label=_("Number of runs"), required=False, initial=DEFAULTS["draws"], max_length=6)
    seed = forms.CharField(label=_("Seed"), required=False, initial=DEFAULTS["seed"], max_length=10)

    def __init__(self, *args: Any, products: Sequence[tuple[str, str]], purposes: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["discount_products"].choices = products
        self.fields["free_purposes"].choices = purposes

    def document(self) -> dict[str, Any]:
        """These parts of the draft document; parts without content are left out."""
        data, found = self.cleaned_data, {}
        if data["discount_percent"]:
            found["discount"] = {"percent": plain(data["discount_percent"])} | {
                name: data[f"discount_{name}"] for name in ("products", "sizes") if data[f"discount_{name}"]
            }
        if data["free_purposes"]:
            found["free_purposes"] = data["free_purposes"]
        if data["quota_units"]:
            found["free_quota"] = {"basis": data["quota_basis"] or "calls", "units": plain(data["quota_units"])}
        if data["with_estimates"]:
            found["demand"] = {name: data[name].strip().replace("−", "-") or DEFAULTS[name] for name in DEFAULTS}
        return found


def plain(number: Any) -> str:
    return f"{number.normalize():f}"


class DraftTariffForm(TariffForm):
    """The head of a drafted tariff: as in a filing, without a date and a reason."""

    from_date = None
    reason = None


@dataclass(frozen=True)
class CapRow:
    """A cap in force with the one that is proposed; ``name`` is its field."""

    product: str
    product_name: str
    purpose_class: str
    basis: str
    period: str
    in_force: str
    proposed: str

    @property
    def name(self) -> str:
        return f"cap:{self.product}:{self.purpose_class}:{self.basis}:{self.period}"

    def entry(self, cap: str) -> dict[str, str]:
        return {
            "product": self.product,
            "purpose_class": self.purpose_class,
            "basis": self.basis,
            "period": self.period,
            "cap": cap,
        }


def typed(rows: Sequence[CapRow], data: QueryDict) -> list[CapRow]:
    """The rows with what was typed in place of what was proposed."""
    return [CapRow(**{**vars(row), "proposed": data.get(row.name, row.proposed).strip()}) for row in rows]


def caps_of(rows: Sequence[CapRow]) -> list[dict[str, str]]:
    """The caps of every product and class of which one at least differs from what is in force: a cap set is replaced whole."""
    changed = {(row.product, row.purpose_class) for row in rows if row.proposed != row.in_force}
    return [row.entry(row.proposed) for row in rows if (row.product, row.purpose_class) in changed]
