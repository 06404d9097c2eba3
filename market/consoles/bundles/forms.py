"""Forms of the bundle pages."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from market.consoles.operator.forms import CODE
from pricing.reading import load_json
from pricing.tariffs.bundles import BundlePart
from pricing.tariffs.models import Plan


class BundleForm(forms.Form):
    code = forms.CharField(
        label=_("Bundle code"), max_length=38, validators=[CODE], help_text=_("Part of its address; it never changes.")
    )
    name = forms.CharField(label=_("Name in Chinese"), max_length=100)
    name_en = forms.CharField(label=_("Name in English"), max_length=100, required=False)
    description = forms.CharField(label=_("Description in Chinese"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    description_en = forms.CharField(label=_("Description in English"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    purpose = forms.ChoiceField(label=_("Purpose"))
    scenario = forms.ChoiceField(label=_("Scenario"))

    def __init__(self, *args: Any, purposes: list[tuple[str, str]], scenarios: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = purposes
        self.fields["scenario"].choices = scenarios


class PartsForm(forms.Form):
    """One tariff document a part, filed together; each starts with the document of the product's own plan."""

    from_date = forms.DateField(label=_("In force from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label=_("Why these prices"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, parts: list[BundlePart], starts: dict[int, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = parts
        for part in parts:
            plan = part.plan
            text = json.dumps(starts[plan.pk], ensure_ascii=False, indent=1) if plan.pk in starts else ""
            self.fields[document_field(plan)] = forms.CharField(
                label=plan.product.name,
                initial=text,
                widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
                help_text=_("The tariff document as JSON, under this product's own cap"),
            )
            label = _("%(product)s: I know that more use costs less in total somewhere, and want it so")
            self.fields[f"may_fall_{plan.pk}"] = forms.BooleanField(label=label % {"product": plan.product.name}, required=False)

    def documents(self) -> dict[int, Any]:
        """The documents by plan. Raises DocumentRefused where one is no JSON."""
        texts = {part.plan.pk: self.cleaned_data[document_field(part.plan)] for part in self.parts}
        return {pk: load_json(text.encode(), self.fields[f"document_{pk}"].label or "tariff") for pk, text in texts.items()}

    def may_fall(self) -> set[int]:
        return {part.plan.pk for part in self.parts if self.cleaned_data[f"may_fall_{part.plan.pk}"]}


def document_field(plan: Plan) -> str:
    return f"document_{plan.pk}"
