"""A whole version of a place's rules as a form: a field a parameter, typed as people write it, checked by the registry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from market.disclosure.rule_rows import origin_of
from products.record.jurisdictions import NATIONAL
from products.record.parameters import CHOICE, FLAG, INTEGER, PARAMETERS, RATE, Parameter
from products.record.refusals import Refused

PREFIX = "p-"
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
GROUPS = (  # heading, and what its parameters serve
    (_("Permitted revenue, caps and tariffs"), ("F", "SM3", "SM4", "发改价格")),
    (_("Authorisation, free use and fair supply"), ("SM6", "发改数据规〔2025〕27号")),
    (_("Registration"), ("SM1 ", "发改数据规〔2025〕26号")),
    (_("Objections, months and invoices"), ("SM",)),
)


class RulesForm(forms.Form):
    """``values``: the version before. ``above``: what holds where a field is left empty, as ``rules_on`` gives it."""

    name = forms.CharField(label=_("Name of the rules"), max_length=100)
    name_en = forms.CharField(label=_("English name"), max_length=100, required=False)
    source = forms.CharField(
        label=_("Legal source"),
        max_length=200,
        help_text=_("Title and number of the document. Say here which values you could not check against its text."),
    )
    from_date = forms.DateField(
        label=_("In force from"), widget=DATE, help_text=_("In the future. The version before ends then.")
    )
    reason = forms.CharField(label=_("Why the rules change"), widget=forms.Textarea({"rows": 3}), max_length=2000)

    def __init__(
        self, *args: Any, jurisdiction: str, values: dict[str, Any], above: dict[str, dict[str, Any]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        is_national = jurisdiction == NATIONAL
        for name, parameter in PARAMETERS.items():
            field = _field(parameter)
            field.required = is_national and not parameter.is_optional
            field.help_text = _hint(parameter, above.get(name))
            if name in values:
                field.initial = parameter.typed(values[name])
            self.fields[PREFIX + name] = field

    def clean(self) -> dict[str, Any]:
        """Every filled field read by its parameter; what is wrong is said beside it."""
        cleaned = super().clean() or {}
        values: dict[str, Any] = {}
        for name, parameter in PARAMETERS.items():
            typed = str(cleaned.get(PREFIX + name) or "").strip()
            if not typed:
                continue
            try:
                values[name] = parameter.read(typed)
            except Refused as refused:
                self.add_error(PREFIX + name, str(refused))
        cleaned["parameters"] = values
        return cleaned

    def head(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "name_en", "source", "from_date", "reason")]

    def groups(self) -> list[dict[str, Any]]:
        """Parameters under headings, each once, under the first that fits."""
        left = dict(PARAMETERS)
        found = []
        for heading, serves in GROUPS:
            names = [name for name, each in left.items() if each.serves.startswith(serves)]
            found.append({"heading": heading, "fields": [self[PREFIX + name] for name in names]})
            left = {name: each for name, each in left.items() if name not in names}
        found[-1]["fields"] += [self[PREFIX + name] for name in left]
        return found


def _field(parameter: Parameter) -> forms.Field:
    empty = ("", "–")
    if parameter.kind == FLAG:
        return forms.ChoiceField(label=parameter.label, choices=[empty, ("true", _("yes")), ("false", _("no"))])
    if parameter.kind == CHOICE:
        return forms.ChoiceField(label=parameter.label, choices=[empty, *parameter.choices])
    mode = {INTEGER: "numeric", RATE: "decimal"}.get(parameter.kind, "text")
    return forms.CharField(label=parameter.label, max_length=500, widget=forms.TextInput({"inputmode": mode}))


def _hint(parameter: Parameter, rule: dict[str, Any] | None) -> str:
    words = f"{parameter.form} · {parameter.serves}"
    if rule is None:
        return words
    facts = {"value": parameter.show(rule["value"]), "rules": origin_of(rule)}
    return words + " · " + str(_("left empty: %(value)s (%(rules)s)") % facts)
