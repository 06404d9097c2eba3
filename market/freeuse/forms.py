"""The claimant's forms; they adapt to who asks and to what the product serves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from market.storefront.templatetags.gongshu import local
from pricing.grants.claims import plans_to_go_on_with
from pricing.grants.rules import who_may_claim
from pricing.models import Plan
from products.models import DataProduct, Organisation, Purpose, Scenario


class StartForm(forms.Form):
    """What for: only purposes that the organisation may claim and the product serves are offered."""

    purpose = forms.ChoiceField(label=_("Purpose"), widget=forms.RadioSelect)
    scenario = forms.ChoiceField(label=_("Scenario"))

    def __init__(self, *args: Any, product: DataProduct, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [code for code in product.purposes if organisation.kind in who_may_claim(code)]
        found = Purpose.objects.filter(code__in=codes).order_by("code")
        self.fields["purpose"].choices = [(purpose.code, local(purpose)) for purpose in found]
        scenarios = Scenario.objects.filter(code__in=product.scenarios).order_by("code")
        self.fields["scenario"].choices = [(scenario.code, local(scenario)) for scenario in scenarios]


class PlanField(forms.ModelChoiceField):
    def label_from_instance(self, plan: Plan) -> str:
        return f"{_('Calls go on, paid under the plan:')} {local(plan)}"


class DetailsForm(forms.Form):
    """The statement. A draft is saved with whatever is there (``is_draft``); what is missing is named when it is submitted."""

    use_required_attribute = False

    statement = forms.CharField(
        label=_("What it is for"),
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The project, what the data answers, where the result goes"),
    )
    beneficiaries = forms.CharField(label=_("Who benefits"), widget=forms.Textarea(attrs={"rows": 2}))
    quota_asked = forms.IntegerField(label=_("How many units over the whole term"), min_value=1, max_value=2_000_000_000)
    asked_until = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    continues_on = PlanField(
        label=_("When the free quota is used up"),
        queryset=Plan.objects.none(),
        required=False,
        empty_label=_("Calls stop. Nothing is charged."),
        help_text=_(
            "Your choice holds beforehand: with a plan, further calls go on at its list price under the right that you buy of it "
            "in the shop, and each answer says so. Without such a right they stop."
        ),
    )
    responsible_person = forms.CharField(label=_("Responsible person"), max_length=100)
    is_noncommercial = forms.BooleanField(label=_("We do not sell what we make with it, and use it for nothing else."))

    def __init__(self, *args: Any, product: DataProduct, is_draft: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["continues_on"].queryset = plans_to_go_on_with(product=product)
        for name in ("statement", "beneficiaries", "responsible_person", "is_noncommercial"):
            self.fields[name].required = not is_draft


class EvidenceForm(forms.Form):
    file = forms.FileField(
        label=_("Add a file"),
        help_text=_(
            "Registration certificate, project document, publication plan: PDF, PNG, JPEG, Word, Excel or text, at most 10 MB"
        ),
    )
