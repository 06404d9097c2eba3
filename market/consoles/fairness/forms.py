"""What people type about equal treatment."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.tariffs.models import SupplyRefusal
from products.models import Organisation


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 4}), max_length=4000)


class ExplanationForm(forms.Form):
    explanation = forms.CharField(
        label=gettext_lazy("Explanation"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=4000,
        help_text=gettext_lazy("Which published rule makes the difference, or what you do to end it."),
    )


class ComplaintForm(forms.Form):
    statement = forms.CharField(
        label=gettext_lazy("Why the refusal is wrong"), widget=forms.Textarea(attrs={"rows": 5}), max_length=4000
    )


class RefusalForm(forms.Form):
    product = forms.ChoiceField(label=gettext_lazy("Product"))
    uscc = forms.CharField(label=gettext_lazy("Unified social credit code"), max_length=18)
    ground = forms.ChoiceField(label=gettext_lazy("Ground"), choices=SupplyRefusal.Ground.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text=gettext_lazy("The organisation reads it, and so does the price regulator."),
    )

    def __init__(self, *args: object, products: Sequence[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].choices = products

    def clean_uscc(self) -> Organisation:
        code = self.cleaned_data["uscc"].strip().upper()
        found = Organisation.objects.filter(uscc=code).first()
        if found is None:
            raise forms.ValidationError(_("No organisation with this code is on the platform."))
        return found
