"""A key's name, scopes and networks; how long it works beside the new one; why it is revoked."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from settlement.entitlements import keys
from settlement.entitlements.keyring import OVERLAPS
from settlement.entitlements.models import ApiKey

SCOPE_WORDS = {
    "calls": _("Calls of products"),
    "receipts": _("Reading receipts"),
    "usage": _("Reporting usage"),
}
OVERLAP_WORDS = {"hour": _("One hour"), "day": _("One day"), "week": _("Seven days"), "month": _("Thirty days")}


class LimitsForm(forms.Form):
    """``cleaned_data["networks"]`` is a list as ``keys.read_networks`` has it. No scope ticked means all of them."""

    name = forms.CharField(label=_("Name"), max_length=60, required=False, help_text=_("For example where it is used."))
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: everything that this kind of key can do."),
    )
    networks = forms.CharField(
        label=_("Accepted from"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One network a line, for example 203.0.113.0/24 or 2001:db8::/48. Empty: from anywhere."),
    )

    def __init__(self, *args: Any, mode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope, SCOPE_WORDS[scope]) for scope in keys.SCOPES[mode]]

    @classmethod
    def of(cls, key: ApiKey) -> LimitsForm:
        return cls(mode=key.mode, initial={"name": key.name, "scopes": key.scopes, "networks": "\n".join(key.networks)})

    def clean_networks(self) -> list[str]:
        asked = [part for part in re.split(r"[\s,;，；]+", self.cleaned_data["networks"]) if part]
        try:
            return keys.read_networks(asked)
        except keys.NetworkWrong as refused:
            raise forms.ValidationError(str(refused)) from refused


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(
        label=_("How long the old key works beside the new one"),
        choices=[(name, OVERLAP_WORDS[name]) for name in OVERLAPS],
        initial="week",
    )


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("For your own record."))
