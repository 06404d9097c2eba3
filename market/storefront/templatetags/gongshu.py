"""Tags and filters of our templates: numbers as people read them, states as badges, tables that scroll."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from market.storefront import names, pricetags
from market.storefront.acting import acting_membership
from products.organisations.models import Role
from products.record import clock
from products.record.rule_sets import rule_set_name as kept_rule_set_name
from products.registry.models import PurposeClass

register = template.Library()

TONES = {
    "ok": "active listed paid published accepted granted valid passed verified succeeded issued approved open live",
    "wait": "draft requested submitted pending created proposed waiting corrections decided filed unverified reported overdue",
    "bad": "suspended refused revoked failed returned rejected cancelled delisted",
    "info": "trial guided market test",
    "free": "free",
}
FREQUENCIES = {
    "realtime": _("in real time"),
    "daily": _("every day"),
    "weekly": _("every week"),
    "monthly": _("every month"),
    "quarterly": _("every quarter"),
    "yearly": _("every year"),
}
ORDER_STATUS = {
    "pending": _("Placed"),
    "paid": _("Paid, not active yet"),
    "active": _("Active"),
    "cancelled": _("Cancelled"),
    "refunded": _("Refunded"),
    "ended": _("Ended"),
}
TONE_OF = {state: tone for tone, states in TONES.items() for state in states.split()}


@register.filter
def yuan(amount: object) -> str:
    """``1234.5`` → ``¥1,234.50``; more decimals are kept (a unit price of ¥0.005 stays that). Empty for None."""
    value = _decimal(amount)
    if value is None:
        return ""
    decimals = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{'−' if value < 0 else ''}¥{abs(value):,.{decimals}f}"


@register.filter
def fen(amount_minor: object) -> str:
    """Integer fen as yuan: ``123450`` → ``¥1,234.50``."""
    value = _decimal(amount_minor)
    return "" if value is None else yuan(value / 100)


@register.filter
def quantity(value: object) -> str:
    """A number with thousands separators and no idle zeros: ``12000.000000`` → ``12,000``."""
    number = _decimal(value)
    if number is None:
        return ""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def item(mapping: dict[Any, Any], key: object) -> object:
    """The mapping's value for a key, or an empty string."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def last_day(period: Any) -> object:
    """The last day of a date range, whose upper bound is exclusive; None while it is open."""
    return None if period is None or period.upper is None else period.upper - timedelta(days=1)


@register.filter
def day_before(day: str) -> date:
    """The day before an ISO date, for periods kept with an exclusive end."""
    return date.fromisoformat(str(day)[:10]) - timedelta(days=1)


@register.filter
def percent(rate: object) -> str:
    """A rate as a percentage: ``0.06`` → ``6%``."""
    value = _decimal(rate)
    return "" if value is None else f"{quantity(value * 100)}%"


@register.filter
def component_unit(component: dict[str, Any]) -> str:
    """What a tariff component counts, for people."""
    return pricetags.unit_of(component)


@register.filter
def unit_name(basis: str) -> str:
    """What a basis of metering counts, for people: ``calls`` → ``call``; the basis itself where it has no words."""
    return str(pricetags.UNITS.get(basis, basis))


@register.filter
def cap_unit(cap: Any) -> object:
    """What a cap is per."""
    return pricetags.PERIODS[cap.flat_period] if cap.flat_period else pricetags.UNITS[cap.basis]


@register.filter
def purpose_class_label(code: str) -> object:
    """The name of a purpose class."""
    return dict(PurposeClass.choices).get(code, code)


@register.filter
def frequency(code: str) -> object:
    """How often something is updated, for people; unknown words stay as they are."""
    return FREQUENCIES.get(code, code)


@register.filter
def minus(value: Any, other: Any) -> Any:
    """The difference of two numbers that were worked out elsewhere: what is left of a quota, of an invoice."""
    return value - other


@register.filter
def order_status(code: str) -> object:
    """An order's state, for people."""
    return ORDER_STATUS.get(code, code)


@register.filter
def refusal_label(code: str) -> str:
    """Why calls were refused, for people; the code where it has no words."""
    return names.refusal_label(code)


@register.filter
def fen_plain(amount_minor: int) -> str:
    """Integer fen for an input field: ``50000`` → ``500.00``; empty for nothing."""
    return f"{Decimal(amount_minor) / 100:.2f}" if amount_minor else ""


@register.filter
def metered(document: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The counted components of a tariff document; none without a document."""
    return [each for each in document["components"] if each["model"] != "flat"] if document else []


@register.filter
def last_moment(moment: Any) -> object:
    """The last day of a span whose end is the first moment after it."""
    return None if moment is None else moment - timedelta(seconds=1)


@register.filter
def purpose_name(code: str) -> str:
    """The purpose's name in the page's language; the code where it is not known."""
    return names.purpose_name(code)


@register.filter
def scenario_name(code: str) -> str:
    """The scenario's name in the page's language; the code where it is not known."""
    return names.scenario_name(code)


@register.filter
def fee_name(label: str) -> str:
    """A price item's label in the page's language, as far as it is a usual one."""
    return names.fee_name(label)


@register.filter
def role_label(role: str) -> object:
    """The name of a role, for people."""
    return dict(Role.choices).get(role, role)


@register.simple_tag(takes_context=True)
def console_menu(context: template.Context) -> list[Any]:
    """The consoles that the acting membership's roles offer."""
    from market.consoles.menu import menu_of

    return menu_of(acting_membership(context["request"]))


@register.simple_tag(takes_context=True)
def nearest_entry(context: template.Context, menu: list[Any]) -> str:
    """The menu's page that the page shown stands under, by the longest address that it begins with; empty where there is none."""
    path = context["request"].path
    return max(
        (str(entry.url) for _title, entries in menu for entry in entries if path.startswith(str(entry.url))), key=len, default=""
    )


@register.simple_tag
def notice_text(notice: Any) -> object:
    """The sentence of a notice in the page's language."""
    from products.record.notices import words_of

    return words_of(notice)[1]


@register.simple_tag
def local(obj: Any, field: str = "name") -> str:
    """The field in the page's language: ``name_en`` on an English page where it is filled, else ``name``."""
    if obj is None:
        return ""
    other = getattr(obj, f"{field}_en", "") if (translation.get_language() or "").startswith("en") else ""
    return other or getattr(obj, field)


@register.simple_tag
def rule_set_name(rule: Any) -> str:
    """The name of the rule set that an object's kept rule came from, in the page's language."""
    return kept_rule_set_name(rule) if rule else ""


@register.simple_tag
def state_badge(obj: Any, label: str = "") -> SafeString:
    """A badge for ``obj.state``, or for a bare state with its label."""
    state = obj if isinstance(obj, str) else obj.state
    text = label or (obj if isinstance(obj, str) else obj.get_state_display())
    return format_html('<span class="badge {}">{}</span>', TONE_OF.get(str(state), ""), text)


@register.filter
def is_alive(key: Any) -> bool:
    """Whether an API key works now."""
    return key.revoked_at is None and key.expires_at > clock.now()


@register.simple_block_tag
def data_table(content: str, caption: str = "", label: str = "", stacked: bool = False) -> SafeString:
    """A table that scrolls sideways where it is too wide, and can be reached with the keyboard.

    ``caption`` is shown; ``label`` names it unseen, where a heading already does. ``stacked`` turns rows into cards on a
    phone; give each cell ``data-label``.
    """
    return format_html(
        '<div class="table-scroll" role="region" tabindex="0" aria-label="{}"><table class="data{}">{}{}</table></div>',
        caption or label,
        " stacked" if stacked else "",
        format_html("<caption>{}</caption>", caption) if caption else "",
        content,
    )


def _decimal(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
