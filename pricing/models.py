"""Every model of the pricing floor."""

from pricing.costs.models import AllocationRule, CostFiling, CostItem
from pricing.grants.models import FreeUseGrant
from pricing.revenue.models import (
    Cap,
    CapBasket,
    CapFiling,
    OperationReport,
    PermittedRevenue,
    RevenueAssessment,
    RevenueOpinion,
    RevenueWarning,
)
from pricing.tariffs.models import Bundle, Plan, SupplyRefusal, Tariff

__all__ = [
    "AllocationRule",
    "Bundle",
    "Cap",
    "CapBasket",
    "CapFiling",
    "CostFiling",
    "CostItem",
    "FreeUseGrant",
    "OperationReport",
    "PermittedRevenue",
    "Plan",
    "RevenueAssessment",
    "RevenueOpinion",
    "RevenueWarning",
    "SupplyRefusal",
    "Tariff",
]
