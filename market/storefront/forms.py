"""The shop's forms: what to buy, how to pay."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from market.storefront.product_page import PlanOffer
from products.registry.models import Purpose, Scenario
from settlement.payments.models import PaymentIntent


def named(obj: Any) -> str:
    """Name in the page's language."""
    other = getattr(obj, "name_en", "") if (get_language() or "").startswith("en") else ""
    return other or obj.name


class BuyForm(forms.Form):
    """A plan of a product, for a purpose and a scenario, with a top-up (yuan)."""

    plan = forms.ChoiceField(label=_("Plan"))
    purpose = forms.ChoiceField(label=_("Purpose of use"), help_text=_("Calls for another purpose are refused."))
    scenario = forms.ChoiceField(label=_("Scenario"))
    top_up = forms.DecimalField(
        label=_("Deposit for usage, in yuan"),
        help_text=_("Invoices draw it down first; what is left is paid back at the end."),
        required=False,
        min_value=0,
        max_value=Decimal("999999.99"),
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "maxlength": 12}),
    )

    def __init__(
        self, *args: Any, offers: list[PlanOffer], purposes: list[Purpose], scenarios: list[Scenario], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = [(offer.plan.code, named(offer.plan)) for offer in offers]
        self.fields["purpose"].choices = [(each.code, named(each)) for each in purposes]
        self.fields["scenario"].choices = [(each.code, named(each)) for each in scenarios]
        if len(offers) == 1:
            self.fields["plan"].widget = forms.HiddenInput()
            self.fields["plan"].initial = offers[0].plan.code

    def top_up_minor(self) -> int:
        return int((self.cleaned_data["top_up"] or Decimal(0)) * 100)


class CheckoutForm(forms.Form):
    """Accepting the agreement that was read (its digest), and the way to pay where something is due."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    accept = forms.BooleanField(
        label=_("I have read the agreement and accept it for my organisation."),
        error_messages={"required": _("Accept the agreement to go on.")},
    )
    method = forms.ChoiceField(choices=PaymentIntent.Method.choices, required=False)

    def __init__(self, *args: Any, methods: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = methods

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.methods and cleaned.get("method") not in self.methods:
            self.add_error("method", _("Choose how to pay."))
        return cleaned
