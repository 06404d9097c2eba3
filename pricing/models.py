"""Every model of the pricing floor."""

from pricing.grants.models import FreeUseGrant
from pricing.revenue.models import Cap, CapFiling
from pricing.tariffs.models import Plan, Tariff

__all__ = ["Cap", "CapFiling", "FreeUseGrant", "Plan", "Tariff"]
