"""What `pricing` has worked out, in the reader's language: the steps of a quote, the problems of a document."""

from django.utils.translation import gettext, gettext_lazy

from pricing.reading import TEXTS, Problem
from pricing.rules import Step

KINDS = {
    "units": gettext_lazy("Units counted so far"),
    "included": gettext_lazy("Less the included units"),
    "tier": gettext_lazy("Units × unit price"),
    "flat_fee": gettext_lazy("Fee of the tier"),
    "package": gettext_lazy("Whole packages"),
    "period": gettext_lazy("Price × days ÷ days of the period"),
    "sum": gettext_lazy("Sum"),
    "before": gettext_lazy("Less what was charged before"),
    "discount": gettext_lazy("After the discount"),
    "bound": gettext_lazy("Up or down to the agreed bound"),
    "not_collected": gettext_lazy("Shown, not collected"),
    "free": gettext_lazy("Free use"),
    "net": gettext_lazy("Without VAT"),
    "vat": gettext_lazy("VAT"),
    "total": gettext_lazy("With VAT"),
}


def step_label(step: Step) -> str:
    """What the step works out, in the active language."""
    return str(KINDS[step.kind])


def step_text(step: Step) -> str:
    """The step as a line for people: "Sum: 5000.00 + …"."""
    return gettext("%(label)s: %(sum)s") % {"label": step_label(step), "sum": step.text}


def problem_text(problem: Problem) -> str:
    """What is wrong, in the active language."""
    return gettext(TEXTS[problem.rule]) % problem.values
