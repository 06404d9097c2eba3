"""Words of a cost ledger for templates."""

from __future__ import annotations

from django import template

from market.consoles.costs.words import line_label
from pricing.costs import explain

register = template.Library()
register.filter("business_line", line_label)
register.filter("rule_label", explain.rule_label)
register.filter("rule_reason", explain.rule_reason)
