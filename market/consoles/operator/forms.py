"""Forms of the operator's pages. They check shapes; what may be filed is for the services to say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from market.consoles.operator.scope import Choices
from products.catalogue.concepts import LISTED
from products.catalogue.models import Regime
from products.catalogue.spec import MAX_DATA_BYTES

CODE = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$", _("Lower-case letters and digits, in parts joined by a hyphen."))
FREQUENCIES = [
    ("", "–"),
    ("real_time", _("In real time")),
    ("daily", _("Every day")),
    ("weekly", _("Every week")),
    ("monthly", _("Every month")),
    ("quarterly", _("Every quarter")),
    ("yearly", _("Every year")),
    ("irregular", _("As needed")),
]


class JSONText(forms.JSONField):
    """JSON in a text area, indented, Chinese as it is."""

    widget = forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if value in (None, "") or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class DataFile(forms.FileField):
    """An upload of at most MAX_DATA_BYTES, not empty."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile) and (file.size or 0) > MAX_DATA_BYTES:
            raise forms.ValidationError(_("The file is larger than %(size)s MB.") % {"size": MAX_DATA_BYTES // 1024 // 1024})
        return file


class ProductForm(forms.Form):
    """A product and its release; the choices of resources, purposes and scenarios are the authorisation's scope."""

    code = forms.CharField(
        label=_("Product code"),
        max_length=60,
        validators=[CODE],
        help_text=_("Part of every address of the product; it never changes."),
    )
    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    summary_zh = forms.CharField(label=_("Summary in Chinese"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    summary_en = forms.CharField(label=_("Summary in English"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    description_zh = forms.CharField(label=_("Description in Chinese"), required=False, widget=forms.Textarea)
    description_en = forms.CharField(label=_("Description in English"), required=False, widget=forms.Textarea)
    resources = forms.MultipleChoiceField(label=_("Data resources it is derived from"), widget=forms.CheckboxSelectMultiple)
    purposes = forms.MultipleChoiceField(label=_("Purposes it is offered for"), widget=forms.CheckboxSelectMultiple)
    scenarios = forms.MultipleChoiceField(label=_("Scenarios"), widget=forms.CheckboxSelectMultiple)
    regime = forms.ChoiceField(label=_("Price regime"), choices=Regime.choices, initial=Regime.TRIAL)
    necessity = forms.CharField(
        label=_("Why a fee is needed"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed for every product that is not free."),
    )
    open_first_override = forms.CharField(
        label=_("Why a resource that could be opened is operated instead"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only where a resource has neither personal data nor security impact. It is disclosed."),
    )
    concepts = forms.MultipleChoiceField(
        label=_("What its answers tell"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Needed before listing where personal data stands behind it: buyers may not hold certain combinations."),
    )
    needs_consent = forms.BooleanField(
        label=_("Each call must name the consent of the person asked about"),
        required=False,
        help_text=_("Set by itself for verifications and models on personal data; a reviewer may insist."),
    )
    consent_exemption = forms.CharField(
        label=_("Why no person is asked about"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only where personal data stands behind it and calls should name no consent. Both reviews read it."),
    )
    update_frequency = forms.ChoiceField(label=_("Updated"), choices=FREQUENCIES, required=False)
    data = DataFile(label=_("Data file"), required=False)  # a remote release has none: the spec's check says when one is due
    config = JSONText(label=_("Configuration (JSON)"))
    samples = JSONText(
        label=_("Samples (JSON list)"),
        help_text=_("Calls that the release must answer before it is filed; the first is shown on the product page."),
    )
    input_schema = JSONText(
        label=_("Input schema (JSON Schema)"), required=False, help_text=_("Left empty, the type's own schema is used.")
    )
    output_schema = JSONText(
        label=_("Output schema (JSON Schema)"), required=False, help_text=_("Left empty, the type's own schema is used.")
    )
    request_reviews = forms.BooleanField(label=_("Ask for both reviews at once"), required=False, initial=True)

    TEXTS = ("name_zh", "name_en", "summary_zh", "summary_en", "description_zh", "description_en")
    SCOPE: tuple[str, ...] = (
        "resources",
        "purposes",
        "scenarios",
        "regime",
        "necessity",
        "open_first_override",
        "concepts",
        "needs_consent",
        "consent_exemption",
        "update_frequency",
    )
    RELEASE = ("data", "config", "samples", "input_schema", "output_schema", "request_reviews")

    def __init__(self, *args: Any, choices: Choices, data_hint: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["concepts"].choices = [(concept.code, str(concept)) for concept in LISTED]
        for name in ("resources", "purposes", "scenarios"):
            if name in self.fields:
                self.fields[name].choices = getattr(choices, name)
        self.fields["data"].help_text = data_hint
        for name in ("input_schema", "output_schema"):
            if self.initial.get(name) is None:
                self.initial[name] = ""

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields under the headings of the page."""
        named = [
            (_("Name and texts"), ("code", *self.TEXTS)),
            (_("Scope and price regime"), self.SCOPE),
            (_("What runs"), self.RELEASE),
        ]
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in named]

    def raw(self) -> dict[str, Any]:
        """What was filled in, as the product spec of ``products.catalogue.spec`` (operator, type, authorisation left out)."""
        given = self.cleaned_data
        spec: dict[str, Any] = {name: given[name] for name in ("code", *self.SCOPE, "request_reviews") if name in given}
        if not spec.get("concepts"):
            spec.pop("concepts", None)
        for text in ("name", "summary", "description"):
            zh, en = given[f"{text}_zh"], given[f"{text}_en"]
            if zh or en:
                spec[text] = {"zh": zh or en, "en": en or zh}
        schemas = {name: given[name] for name in ("input_schema", "output_schema") if given[name]}
        spec["release"] = {"config": given["config"], "samples": given["samples"], **schemas}
        if given["data"]:
            spec["release"]["data"] = given["data"].name
        return spec


class RedevelopForm(ProductForm):
    """A product built on delivered products: no resources, no necessity, a market price."""

    built_on = forms.MultipleChoiceField(
        label=_("Products it is built on"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those for which your organisation holds a right for further development by data merchants."),
    )
    resources = None
    necessity = None
    open_first_override = None
    consent_exemption = None
    SCOPE = ("built_on", "purposes", "scenarios", "regime", "concepts", "needs_consent", "update_frequency")

    def __init__(self, *args: Any, bases: list[tuple[str, str]], choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, choices=choices, **kwargs)
        self.fields["built_on"].choices = bases
        self.fields["regime"].choices = [(value, label) for value, label in Regime.choices if value in ("market", "free")]
        self.fields["regime"].initial = Regime.MARKET


class SpecForm(forms.Form):
    """A product as the files that ``manage.py publish_product`` takes."""

    spec = forms.FileField(label=_("Spec (YAML)"), help_text=_("The file that manage.py publish_product takes."))
    data = DataFile(
        label=_("Data file"),
        required=False,
        help_text=_("The file that the spec names under release, data; none if it names none."),
    )

    def clean_spec(self) -> str:
        try:
            return self.cleaned_data["spec"].read(1024 * 1024).decode("utf-8")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file must be UTF-8 text.")) from error


class TryForm(forms.Form):
    body = JSONText(label=_("Input (JSON)"), required=False)

    def clean_body(self) -> Any:
        return {} if self.cleaned_data["body"] is None else self.cleaned_data["body"]


class PlanForm(forms.Form):
    """A way to buy the product; its price is filed as a tariff afterwards."""

    code = forms.SlugField(label=_("Plan code"), max_length=40)
    name = forms.CharField(label=_("Name in Chinese"), max_length=100)
    name_en = forms.CharField(label=_("Name in English"), max_length=100, required=False)
    description = forms.CharField(label=_("Description in Chinese"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    description_en = forms.CharField(label=_("Description in English"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    terms = forms.CharField(
        label=_("Terms beside the price"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "What else the agreement says. Exclusive deals, tie-ins, loyalty rewards, prices for named customers and fees "
            "beside the price are refused. Everybody can read it."
        ),
    )
    purposes = forms.MultipleChoiceField(
        label=_("Charged purposes it serves"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Free purposes go by a grant, not by a plan."),
    )
    term_months = forms.IntegerField(label=_("Term in months"), min_value=1, max_value=60, initial=12)
    rate_per_minute = forms.IntegerField(label=_("Calls a minute at most"), min_value=1, max_value=60_000, initial=600)
    is_prepaid = forms.BooleanField(label=_("Prepaid: calls stop when the balance is used up"), required=False)

    def __init__(self, *args: Any, purposes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purposes"].choices = purposes


class KeyForm(forms.Form):
    name = forms.CharField(label=_("Name of the key"), max_length=60, help_text=_("For example the service that will use it."))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


FIELD_OF = {"name": "name_zh", "summary": "summary_zh", "description": "description_zh"}


def place_errors(form: forms.Form, errors: Iterable[Mapping[str, Any]]) -> None:
    """Put each error (a JSON pointer into the spec, and why) beside the field it is about, else on top of the form."""
    for error in errors:
        parts = [part for part in str(error["pointer"]).split("/") if part]
        if parts and parts[0] == "release":
            parts = parts[1:]
        name = parts[0] if parts else ""
        if name in FIELD_OF:
            name = f"{name}_en" if parts[1:2] == ["en"] else FIELD_OF[name]
        rest = "/" + "/".join(parts[1:]) + ": " if parts[1:] else ""
        if name in form.fields:
            form.add_error(name, f"{rest}{error['message']}")
        else:
            form.add_error(None, f"{error['pointer'] or '/'}: {error['message']}")
