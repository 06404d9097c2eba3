"""What is stopped and why, in two steps; and how a stop ends."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from products.catalogue.models import DataProduct
from products.organisations.models import Organisation, OrganisationKind
from settlement.entitlements.models import EmergencyStop
from settlement.entitlements.stop_rights import RIGHTS
from settlement.entitlements.stops import PUBLIC_LENGTH

Kind = EmergencyStop.Kind
WORDS = {
    Kind.PRODUCT: gettext_lazy("One product"),
    Kind.OPERATOR: gettext_lazy("All products of an operator"),
    Kind.BUYER: gettext_lazy("A buyer"),
}


class StopForm(forms.Form):
    """``cleaned_data`` has ``product`` or ``organisation`` beside what was typed. The evidence comes with the confirmation."""

    kind = forms.ChoiceField(label=gettext_lazy("What is stopped"), widget=forms.RadioSelect)
    target = forms.CharField(
        label=gettext_lazy("Which"),
        max_length=200,
        help_text=gettext_lazy("The product's code; the operator's or buyer's name or unified social credit code."),
        widget=forms.TextInput(attrs={"list": "targets", "autocapitalize": "none", "autocomplete": "off"}),
    )
    public_reason = forms.CharField(
        label=gettext_lazy("What buyers and the public read"),
        max_length=PUBLIC_LENGTH,
        help_text=gettext_lazy("One sentence, no names of people. It is in every answer to a call until the stop is lifted."),
    )
    reason = forms.CharField(label=gettext_lazy("Why, for the file"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)
    evidence = forms.FileField(
        label=gettext_lazy("Evidence"), required=False, help_text=gettext_lazy("A file for the case, where there is one.")
    )

    def __init__(self, *args: Any, acting_for: Organisation, is_confirming: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        right = RIGHTS[OrganisationKind(acting_for.kind)]
        kinds = [kind for kind in Kind if kind in right.kinds]
        self.fields["kind"].choices = [(kind.value, WORDS[kind]) for kind in kinds]
        if len(kinds) == 1:
            self.fields["kind"].initial = kinds[0].value
        if is_confirming:
            for name in ("kind", "target", "public_reason", "reason"):
                self.fields[name].widget = forms.HiddenInput()
        else:
            del self.fields["evidence"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        kind, target = found.get("kind"), (found.get("target") or "").strip()
        if not kind or not target:
            return found
        found["product"] = found["organisation"] = None
        if kind == Kind.PRODUCT:
            products = DataProduct.objects.select_related("operator", "authorisation__authorising_body")
            found["product"] = products.filter(Q(code=target) | Q(name=target) | Q(name_en__iexact=target)).order_by("id").first()
        else:
            named = Q(slug=target) | Q(uscc=target.upper()) | Q(name=target) | Q(name_en__iexact=target)
            found["organisation"] = Organisation.objects.filter(named).order_by("id").first()
        if found["product"] is None and found["organisation"] is None:
            self.add_error("target", _("Nothing of this code or name is there."))
        return found


class AskForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("How it ends"),
        choices=[
            (EmergencyStop.Outcome.RECOVERY.value, gettext_lazy("Recovery: calls go on")),
            (
                EmergencyStop.Outcome.TERMINATION.value,
                gettext_lazy("Termination: it is taken off sale and all its entitlements end for good"),
            ),
        ],
        widget=forms.RadioSelect,
        initial=EmergencyStop.Outcome.RECOVERY.value,
    )
    reason = forms.CharField(label=gettext_lazy("What was found"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)


class LiftForm(forms.Form):
    outcome = forms.CharField(widget=forms.HiddenInput(attrs={"id": "lift_outcome"}))
    note = forms.CharField(
        label=gettext_lazy("Note on the decision"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=5000
    )
