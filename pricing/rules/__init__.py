"""Owns the arithmetic of prices: what a usage costs under a tariff, and the proof that a tariff keeps its caps.

Imports nothing but Python: no Django, no clock, no I/O; integers in and out.
Start reading at `rating.rate`; `terms` has the models' arithmetic, `caps` the proof, `steps` the trace.
"""

from pricing.rules.caps import Violation, prove
from pricing.rules.rating import Line, Rated, effective_unit_prices, rate, rate_flat, rate_metered
from pricing.rules.steps import Step, line_steps
from pricing.rules.terms import (
    Cap,
    CapSet,
    Component,
    Discount,
    Flat,
    Graduated,
    Package,
    PerUnit,
    Tariff,
    Tax,
    Tier,
    Usage,
    Volume,
)

__all__ = [
    "Cap",
    "CapSet",
    "Component",
    "Discount",
    "Flat",
    "Graduated",
    "Line",
    "Package",
    "PerUnit",
    "Rated",
    "Step",
    "Tariff",
    "Tax",
    "Tier",
    "Usage",
    "Violation",
    "Volume",
    "effective_unit_prices",
    "line_steps",
    "prove",
    "rate",
    "rate_flat",
    "rate_metered",
]
