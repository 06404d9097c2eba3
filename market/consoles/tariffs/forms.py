"""The tariff editor: rows of components with their tiers, or the whole document as JSON."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from pricing.reading import load_json
from pricing.tariffs.price_list import BASIS_WORDS, MODEL_WORDS, UNIT_WORDS

PERIODS = ("month", "year", "quarter", "week", "day")
SPANS = [("month", _("month")), ("year", _("year")), ("term", _("whole term"))]
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TariffForm(forms.Form):
    """The head of a filing. ``upload`` or ``json`` stands for the rows below where one is given."""

    from_date = forms.DateField(label=_("In force from"), widget=DATE)
    reason = forms.CharField(label=_("Why this price"), widget=forms.Textarea(attrs={"rows": 3}))
    minimum = forms.CharField(label=_("Minimum for a month, yuan"), required=False, max_length=20)
    maximum = forms.CharField(label=_("Maximum for a month, yuan"), required=False, max_length=20)
    discounts = forms.CharField(
        label=_("Discounts open to all who meet the condition"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "key_scenario: 30: calls"}),
        help_text=_("One a line: condition, percent, component codes"),
    )
    tax_rate = forms.CharField(label=_("VAT rate"), max_length=8, initial="0.06")
    is_inclusive = forms.BooleanField(label=_("Prices include VAT"), required=False, initial=True)
    may_fall = forms.BooleanField(
        label=_("I know that more use costs less in total somewhere, and want it so"),
        required=False,
        help_text=_(
            "Buyers could pay less by calling more than they need. The price regulator and the public see that you said so. "
            "Kept only where the total does fall."
        ),
    )
    json = forms.CharField(
        label=_("The document as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("Where this is filled in, or a file is chosen, the rows above are not read."),
    )
    upload = forms.FileField(label=_("The document as a JSON file"), required=False)

    def written(self) -> Any | None:
        """The document from the file or the text field; None where both are empty. Raises DocumentRefused."""
        file = self.cleaned_data.get("upload")
        content = file.read(1024 * 1024) if file else self.cleaned_data["json"].strip().encode()
        return load_json(content, "tariff") if content else None


class ComponentRow(forms.Form):
    """One component. Only the fields of its model are read."""

    code = forms.SlugField(label=_("Code"), required=False, max_length=40)
    label = forms.CharField(label=_("Name"), required=False, max_length=60)
    basis = forms.ChoiceField(label=_("Charged by"), choices=[("", "–"), *BASIS_WORDS.items()], required=False)
    model = forms.ChoiceField(label=_("Price model"), choices=list(MODEL_WORDS.items()), required=False)
    price = forms.CharField(
        label=_("Price, yuan"), required=False, max_length=20, help_text=_("Per unit, per package or per period")
    )
    tiers = forms.CharField(
        label=_("Tiers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "10000: 0.50\n100000: 0.30\n*: 0.10"}),
        help_text=_("For graduated and volume prices: one a line, “up to: price”, the last with *"),
    )
    period = forms.ChoiceField(
        label=_("Period of a flat price"), choices=[("", "–"), *((p, UNIT_WORDS[p]) for p in PERIODS)], required=False
    )
    package_size = forms.CharField(label=_("Units in a package"), required=False, max_length=20)
    included = forms.CharField(label=_("Units included"), required=False, max_length=20)
    unit = forms.CharField(label=_("Unit (data volume)"), required=False, max_length=20)
    counts_over = forms.ChoiceField(label=_("Counts over"), choices=SPANS, required=False)
    is_collected = forms.BooleanField(label=_("Collected"), required=False, initial=True)

    def component(self) -> dict[str, Any] | None:
        """The row as the tariff document has it; None where it has no code."""
        data = self.cleaned_data
        if not data.get("code"):
            return None
        model = data.get("model") or "per_unit"
        found: dict[str, Any] = {"code": data["code"], "basis": data["basis"], "model": model} | self.priced(model)
        texts = {"label": data["label"], "unit": data["unit"].strip()}
        found |= {name: value for name, value in texts.items() if value}
        if model != "flat":
            found["counts_over"] = data["counts_over"] or "month"
            found |= {"included": data["included"].strip()} if data["included"].strip() else {}
        return found if data["is_collected"] else found | {"collected": False}

    def priced(self, model: str) -> dict[str, Any]:
        data = {name: str(value).strip() for name, value in self.cleaned_data.items()}
        if model == "flat":
            return {"period": data["period"], "price": data["price"]}
        if model == "package":
            return {"package_size": data["package_size"], "package_price": data["price"]}
        if model == "per_unit":
            return {"unit_price": data["price"]}
        return {"tiers": [tier(line) for line in data["tiers"].splitlines() if line.strip()]}


def tier(line: str) -> dict[str, Any]:
    """``10000: 0.50`` and ``*: 0.10`` as a tier; a fee may follow, ``10000: 0.50 + 5.00``."""
    up_to, _colon, rest = line.replace("：", ":").partition(":")
    price, _plus, fee = rest.partition("+")
    found: dict[str, Any] = {"up_to": None if up_to.strip() == "*" else up_to.strip(), "unit_price": price.strip()}
    return found | ({"flat_fee": fee.strip()} if fee.strip() else {})


def tiers_text(tiers: list[dict[str, Any]]) -> str:
    """The tiers of a document as the editor's lines."""
    ends = ((item["up_to"] or "*", item["unit_price"], item.get("flat_fee")) for item in tiers)
    return "\n".join(f"{end}: {price}" + (f" + {fee}" if fee else "") for end, price, fee in ends)


def rows_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A document's components as initial values of the editor's rows."""
    return [
        {
            "code": item["code"],
            "label": item.get("label", ""),
            "basis": item["basis"],
            "model": item["model"],
            "price": item.get("unit_price") or item.get("package_price") or item.get("price", ""),
            "tiers": tiers_text(item.get("tiers", [])),
            "period": item.get("period", ""),
            "package_size": item.get("package_size", ""),
            "included": item.get("included", ""),
            "unit": item.get("unit", ""),
            "counts_over": item.get("counts_over", "month"),
            "is_collected": item.get("collected", True),
        }
        for item in document["components"]
    ]


def discount(line: str) -> dict[str, Any]:
    """``key_scenario: 30: calls base`` as a discount of the document."""
    reason, percent, codes = (part.strip() for part in (line.replace("：", ":") + "::").split(":")[:3])
    return {"reason": reason, "percent": percent, "components": codes.replace(",", " ").split()}


def discounts_text(discounts: list[dict[str, Any]]) -> str:
    return "\n".join(f"{d['reason']}: {d['percent']}: {' '.join(d['components'])}" for d in discounts)


def document_of(form: TariffForm, rows: Any) -> Any:
    """The tariff document of design.md section 7 from what the person gave. Raises DocumentRefused where it is no JSON."""
    written = form.written()
    if written is not None:
        return written
    data = form.cleaned_data
    return {
        "currency": "CNY",
        "components": [component for row in rows.forms if (component := row.component())],
        "discounts": [discount(line) for line in data["discounts"].splitlines() if line.strip()],
        "minimum": data.get("minimum", "").strip() or None,
        "maximum": data.get("maximum", "").strip() or None,
        "tax": {"rate": data.get("tax_rate", "").strip(), "inclusive": data["is_inclusive"]},
    }


ComponentRows = formset_factory(ComponentRow, extra=2, max_num=20)
