"""How each kind of case is named, where it is dealt with, and what it is about. A part of the market adds its kinds here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from market.storefront.templatetags.gongshu import local
from pricing.models import CostFiling, PermittedRevenue, RevenueWarning, SupplyRefusal, Tariff
from pricing.revenue.permitted_papers import period_text
from products.catalogue.models import DataProduct
from products.models import Authorisation
from products.record.models import Case
from settlement.models import EmergencyStop, Entitlement, EqualTreatmentFlag, JoinReview


def no_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class CaseKind:
    """``url_of`` leads to the page where the case is dealt with; ``subjects`` names the objects of many cases at once."""

    label: str | Promise
    url_of: Callable[[Case], str]
    subjects: Callable[[Sequence[Case]], Mapping[str, str]] = no_subjects  # object id → what it is about


def tariff_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = Tariff.objects.filter(pk__in=[case.object_id for case in cases]).select_related("plan__product")
    return {
        str(tariff.pk): _("%(product)s, plan %(plan)s") % {"product": local(tariff.plan.product), "plan": local(tariff.plan)}
        for tariff in found
    }


def product_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = DataProduct.objects.filter(pk__in=[case.object_id for case in cases])
    return {str(product.pk): local(product) for product in found}


def cost_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = CostFiling.objects.filter(pk__in=[case.object_id for case in cases]).select_related("authorisation__operator")
    return {
        str(filing.pk): _("Costs of %(year)s, %(operator)s")
        % {"year": filing.year, "operator": local(filing.authorisation.operator)}
        for filing in found
    }


def permitted_revenue_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = PermittedRevenue.objects.filter(pk__in=[case.object_id for case in cases]).select_related("authorisation__operator")
    return {str(own.pk): f"{local(own.authorisation.operator)} {period_text(own.period)}" for own in found}


def revenue_warning_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = RevenueWarning.objects.filter(pk__in=[case.object_id for case in cases])
    related = found.select_related("permitted_revenue__authorisation__operator")
    return {str(own.pk): f"{local(own.permitted_revenue.authorisation.operator)} {own.percent} %" for own in related}


def operation_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = Authorisation.objects.filter(pk__in=[case.object_id for case in cases]).select_related("operator")
    return {str(own.pk): f"{local(own.operator)} {own.number}" for own in found}


def flag_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = EqualTreatmentFlag.objects.filter(pk__in=[case.object_id for case in cases]).select_related("product")
    return {str(flag.pk): f"{local(flag.product)} · {flag.month:%Y-%m}" for flag in found}


def refusal_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = SupplyRefusal.objects.filter(pk__in=[case.object_id for case in cases]).select_related("product")
    return {str(refusal.pk): f"{local(refusal.product)} · {refusal.get_ground_display()}" for refusal in found}


def entitlement_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = Entitlement.objects.filter(pk__in=[case.object_id for case in cases]).select_related("organisation", "product")
    return {str(own.pk): f"{local(own.organisation)} · {local(own.product)}" for own in found}


def join_review_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = JoinReview.objects.filter(pk__in=[case.object_id for case in cases]).select_related("organisation", "product")
    return {str(review.pk): f"{local(review.organisation)} · {local(review.product)}" for review in found}


def stop_subjects(cases: Sequence[Case]) -> Mapping[str, str]:
    found = EmergencyStop.objects.filter(pk__in=[case.object_id for case in cases]).select_related("product", "organisation")
    return {str(stop.pk): local(stop.product or stop.organisation) for stop in found}


CASE_KINDS: dict[str, CaseKind] = {
    "affiliate_redevelopment": CaseKind(
        gettext_lazy("An affiliate re-develops"), lambda case: reverse("regulator-affiliate", args=[case.pk]), product_subjects
    ),
    "equal_treatment": CaseKind(
        gettext_lazy("Equal treatment"), lambda case: reverse("regulator-fairness-flag", args=[case.object_id]), flag_subjects
    ),
    "supply_refusal": CaseKind(
        gettext_lazy("Refusal to supply"),
        lambda case: reverse("regulator-fairness-refusal", args=[case.object_id]),
        refusal_subjects,
    ),
    "tariff": CaseKind(
        gettext_lazy("Tariff filed"), lambda case: reverse("regulator-tariff", args=[case.object_id]), tariff_subjects
    ),
    "cost_filing": CaseKind(
        gettext_lazy("Costs filed"), lambda case: reverse("regulator-cost-case", args=[case.pk]), cost_subjects
    ),
}

CASE_KINDS["permitted_revenue"] = CaseKind(
    gettext_lazy("Permitted revenue"),
    lambda case: reverse("regulator-revenue:page", args=[case.object_id]),
    permitted_revenue_subjects,
)
CASE_KINDS["revenue_warning"] = CaseKind(
    gettext_lazy("Revenue near the maximum"),
    lambda case: reverse("regulator-revenue:warning", args=[case.object_id]),
    revenue_warning_subjects,
)
CASE_KINDS["trial_to_formal"] = CaseKind(
    gettext_lazy("Trial prices may become formal"),
    lambda case: reverse("regulator-revenue:index") + f"#operation-{case.object_id}",
    operation_subjects,
)


CASE_KINDS["out_of_purpose"] = CaseKind(
    gettext_lazy("Calls out of purpose"), lambda case: reverse("office-risk", args=[case.pk]), entitlement_subjects
)
CASE_KINDS["probing"] = CaseKind(
    gettext_lazy("Probing of a protected table"), lambda case: reverse("office-risk", args=[case.pk]), entitlement_subjects
)
CASE_KINDS["join_review"] = CaseKind(
    gettext_lazy("Products held together"), lambda case: reverse("join-review", args=[case.object_id]), join_review_subjects
)
CASE_KINDS["consent_withdrawal"] = CaseKind(
    gettext_lazy("A person withdraws consent"), lambda case: reverse("consent-told", args=[case.pk])
)
CASE_KINDS["emergency_stop"] = CaseKind(
    gettext_lazy("Emergency stop"), lambda case: reverse("stop", args=[case.object_id]), stop_subjects
)


def kind_label(kind: str) -> str:
    """The name of a kind; the word itself where no part knows it."""
    return str(CASE_KINDS[kind].label) if kind in CASE_KINDS else kind


def case_url(case: Case) -> str:
    """Where a case is dealt with; its own page on the workbench where no part has one."""
    known = CASE_KINDS.get(case.kind)
    return known.url_of(case) if known else reverse("regulator-case", args=[case.pk])


def subjects_of(cases: Sequence[Case]) -> dict[int, str]:
    """What each case is about, by the case's id, in one look-up a kind."""
    found: dict[int, str] = {}
    for kind in {case.kind for case in cases}:
        mine = [case for case in cases if case.kind == kind]
        names = CASE_KINDS[kind].subjects(mine) if kind in CASE_KINDS else {}
        found |= {case.pk: names.get(case.object_id, f"{case.object_type} {case.object_id}") for case in mine}
    return found
