"""Filing a product: from a checked spec to a draft with a proven release, or to all the reasons why not.

Read ``product_publish``; the steps it takes stand below it in order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from products.catalogue.listing_gate import LIST, PUBLISH, Gap, PriceState, listing_gaps
from products.catalogue.models import DataProduct, ProductState, Release
from products.catalogue.packing import ProvenRelease, prove
from products.catalogue.permissions import default_publisher, require_publisher
from products.catalogue.remote_hosts import host_is_allowed
from products.catalogue.search import name_key, search_terms
from products.catalogue.services import ListingRefused, release_switch, reviews_request
from products.catalogue.spec import ProductSpec, SpecRefused
from products.organisations.models import Organisation, User
from products.record.audit import record
from products.record.clock import business_date
from products.record.rule_sets import parameter
from products.registry.models import Authorisation, DataResource, ProductType, Purpose, Scenario
from products.runtimes.base import FieldError, Secrets
from products.runtimes.index import has_counts


class PublishRefused(ListingRefused):
    """The product may not be filed: ``gaps`` says every listing rule that fails. Nothing was saved."""

    code = "publish_refused"


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it: ``todo`` are the steps still to take before the product can be listed."""

    product: DataProduct
    release: Release
    submitted_by: User | None
    is_new_product: bool
    is_new_release: bool
    has_changed: bool
    todo: list[Gap]


@dataclass(frozen=True, slots=True)
class References:
    """The rows that a spec names."""

    operator: Organisation
    authorisation: Authorisation | None
    resources: Sequence[DataResource]
    built_on: Sequence[DataProduct] = ()


def product_publish(
    *,
    spec: ProductSpec,
    secrets: Secrets,
    by: User | None,
    at: datetime,
    price_state: PriceState | None = None,
    licences: Collection[str] = (),
) -> Published:
    """Create or update the product as a draft with a release that answered its samples, and ask for both reviews.

    The same spec and data again change nothing. A changed release is a new version: of a draft it runs at once, of a listed
    product it waits for its reviews (``services.release_activate``). ``licences`` are the codes of the products that the
    publisher may re-develop, as the floor above knows them. Raises ``SpecRefused``, ``ReleaseRefused``,
    ``ProductKeyMissing``, ``PublishRefused``, ``RoleMissing``; then nothing is saved.
    """
    found = references(spec)
    by = by or default_publisher(found.operator)
    if by:
        require_publisher(by, found.operator)
    spec = _with_minimum_cell(spec, found, at)
    proven = prove(spec, version=_next_version(spec.code), secrets=_with_hosts_of(found.operator, secrets), at=at)
    with transaction.atomic():
        return _file(spec, found, proven, by, at, price_state, licences)


def _with_hosts_of(operator: Organisation, secrets: Secrets) -> Secrets:
    """The secrets with the operator's own allow-list: the product that the samples are run for may not be there yet."""
    if secrets.egress is None:
        return secrets

    def allows(_product: str, host: str, port: int) -> bool:
        return host_is_allowed(operator=operator, host=host, port=port)

    return replace(secrets, egress=replace(secrets.egress, allows=allows))


def _with_minimum_cell(spec: ProductSpec, found: References, at: datetime) -> ProductSpec:
    """An index that says how many people stand behind its values keeps the least number in its config (R32).

    Raises ``SpecRefused`` where the spec asks for less than the rules of the authorising body's place do.
    """
    if spec.type != ProductType.INDEX or not has_counts(spec.data):
        return spec
    body = found.authorisation.authorising_body if found.authorisation else found.operator
    least = int(parameter(name="minimum_cell", on=business_date(at), jurisdiction=body.region or "CN"))
    asked = spec.config.get("min_cell", least)
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < least:
        message = str(_("The rules ask for at least %s people in a published cell.") % least)
        raise SpecRefused([{"pointer": "/release/config/min_cell", "message": message}])
    return replace(spec, config={**spec.config, "min_cell": asked})


def references(spec: ProductSpec) -> References:
    """Everything the spec names, or ``SpecRefused`` with each name that is not known."""
    errors: list[FieldError] = []

    def unknown(pointer: str, name: str) -> None:
        errors.append({"pointer": pointer, "message": str(_("%(name)s is not known here") % {"name": name})})

    operator = Organisation.objects.filter(Q(uscc=spec.operator) | Q(slug=spec.operator)).first()
    if operator is None:
        unknown("/operator", spec.operator)
    authorisation = Authorisation.objects.filter(number=spec.authorisation).first() if spec.authorisation else None
    if authorisation is None and not spec.built_on:
        unknown("/authorisation", spec.authorisation)
    resources = {resource.code: resource for resource in DataResource.objects.filter(code__in=spec.resources)}
    bases = {base.code: base for base in DataProduct.objects.filter(code__in=spec.built_on).select_related("operator")}
    purposes = set(Purpose.objects.filter(code__in=spec.purposes).values_list("code", flat=True))
    scenarios = set(Scenario.objects.filter(code__in=spec.scenarios).values_list("code", flat=True))
    for name, codes, known in (
        ("resources", spec.resources, set(resources)),
        ("built_on", spec.built_on, set(bases)),
        ("purposes", spec.purposes, purposes),
        ("scenarios", spec.scenarios, scenarios),
    ):
        for position, code in enumerate(codes):
            if code not in known:
                unknown(f"/{name}/{position}", code)
    if errors or operator is None:
        raise SpecRefused(errors)
    held = [resources[code] for code in spec.resources]
    return References(operator, authorisation, held, [bases[code] for code in spec.built_on])


def _next_version(code: str) -> int:
    return (Release.objects.filter(product__code=code).aggregate(last=Max("version"))["last"] or 0) + 1


def _file(
    spec: ProductSpec,
    found: References,
    proven: ProvenRelease,
    by: User | None,
    at: datetime,
    price_state: PriceState | None,
    licences: Collection[str],
) -> Published:
    product = DataProduct.objects.select_for_update().filter(code=spec.code).first()
    is_new = product is None
    fields = _fields(spec, found, product)
    if product is None:
        product = DataProduct(code=spec.code, created_at=at, created_by=by, **fields)
        product.save(force_insert=True)
        product.resources.set(found.resources)
        product.built_on.set(found.built_on)
        changed = sorted(fields)
    else:
        changed = _update(product, spec, found, fields)
    release, is_new_release = _release(product, proven, by, at)
    gaps = listing_gaps(product=product, at=at, price_state=price_state, licences=licences)
    if spec.request_reviews and by is None:
        gaps.append(
            Gap("submitter_missing", _("The operator has no publisher who could ask for the reviews."), found.operator.slug)
        )
    if any(gap.stage == PUBLISH for gap in gaps):
        raise PublishRefused([gap for gap in gaps if gap.stage == PUBLISH])
    if is_new_release and spec.request_reviews and by:
        reviews_request(product=product, by=by, at=at)
    if changed or is_new_release:
        facts = {"changed": changed, "version": release.version, "sha256": release.sha256}
        record(action="product.filed", obj=product, actor=by, organisation=product.operator, at=at, facts=facts)
    left = listing_gaps(product=product, at=at, price_state=price_state, licences=licences)
    todo = [gap for gap in left if gap.stage == LIST]
    return Published(product, release, by, is_new, is_new_release, bool(changed or is_new_release), todo)


# Answers of these types are about somebody: what the gateway asks a consent for where personal data stands behind them.
ABOUT_SOMEBODY = (ProductType.VERIFICATION, ProductType.MODEL, ProductType.REMOTE)


def _needs_consent(spec: ProductSpec, found: References, product: DataProduct | None) -> bool:
    """Whether each call names a consent: as the spec says, as a reviewer insists, or because personal data stands behind it.

    Only the last yields to a reason (``consent_exemption``), which both reviews read.
    """
    if spec.needs_consent or (product is not None and product.is_consent_insisted):
        return True
    is_personal = spec.type in ABOUT_SOMEBODY and any(resource.has_personal_data for resource in found.resources)
    return is_personal and not spec.consent_exemption


def _fields(spec: ProductSpec, found: References, product: DataProduct | None) -> dict[str, Any]:
    return {
        "concepts": sorted(spec.concepts),
        "needs_consent": _needs_consent(spec, found, product),
        "consent_exemption": spec.consent_exemption,
        "operator": found.operator,
        "authorisation": found.authorisation,
        "type": spec.type,
        "regime": spec.regime,
        "name": spec.name[0],
        "name_en": spec.name[1],
        "summary": spec.summary[0],
        "summary_en": spec.summary[1],
        "description": spec.description[0],
        "description_en": spec.description[1],
        "purposes": list(spec.purposes),
        "scenarios": list(spec.scenarios),
        "update_frequency": spec.update_frequency,
        "necessity": spec.necessity,
        "open_first_override": spec.open_first_override,
        "name_key": name_key(spec.name[0]),
        "search_terms": search_terms(*spec.name, *spec.summary, found.operator.name, *spec.description),
    }


# What a buyer has contracted on; while the product is in the shop these stay as they were reviewed.
KEPT_WHILE_LISTED = {"authorisation", "regime", "purposes", "scenarios", "resources", "built_on"}
MANY = {"resources", "built_on"}
KEPT_FOR_EVER = {"operator", "type"}


def _update(product: DataProduct, spec: ProductSpec, found: References, fields: dict[str, Any]) -> list[str]:
    """Write what differs; names of the changed fields. Raises ``PublishRefused`` where a field is kept."""
    changed = [name for name, value in fields.items() if getattr(product, name) != value]
    if set(product.resources.values_list("code", flat=True)) != set(spec.resources):
        changed.append("resources")
    if set(product.built_on.values_list("code", flat=True)) != set(spec.built_on):
        changed.append("built_on")
    gaps = [
        Gap("kept_for_ever", _("This never changes: publish under another code."), name) for name in KEPT_FOR_EVER & set(changed)
    ]
    if product.state == ProductState.DELISTED:
        gaps.append(
            Gap("product_delisted", _("The product was taken out of the shop for good: publish under another code."), spec.code)
        )
    if product.state in (ProductState.LISTED, ProductState.SUSPENDED):
        kept = sorted(KEPT_WHILE_LISTED & set(changed))
        gaps += [Gap("kept_while_listed", _("This does not change while buyers rely on it."), name) for name in kept]
        gaps += _weaker(product, fields)
    if gaps:
        raise PublishRefused(gaps)
    for name in changed:
        if name not in MANY:
            setattr(product, name, fields[name])
    if changed:
        product.save(update_fields=[name for name in changed if name not in MANY])
    if "resources" in changed:
        product.resources.set(found.resources)
    if "built_on" in changed:
        product.built_on.set(found.built_on)
    return changed


def _weaker(product: DataProduct, fields: dict[str, Any]) -> list[Gap]:
    """What protects people stays as it was reviewed while the product is in the shop; it may only grow."""
    message = _("What protects people only grows while the product is in the shop.")
    weaker = {
        "needs_consent": product.needs_consent and not fields["needs_consent"],
        "concepts": not set(product.concepts) <= set(fields["concepts"]),
    }
    return [Gap("protection_weakened", message, name) for name, is_weaker in weaker.items() if is_weaker]


def _release(product: DataProduct, proven: ProvenRelease, by: User | None, at: datetime) -> tuple[Release, bool]:
    """The newest release if it is this one, else a new version; True if new."""
    latest = product.releases.defer("artifact").order_by("-version").first()
    if latest and latest.sha256 == proven.sha256:
        return latest, False
    release = Release.objects.create(
        product=product,
        version=latest.version + 1 if latest else 1,
        config=dict(proven.release.config),
        input_schema=dict(proven.release.input_schema),
        output_schema=dict(proven.release.output_schema),
        sample_input=proven.sample_input,
        sample_output=proven.sample_output,
        artifact=proven.release.artifact,
        sha256=proven.sha256,
        created_by=by,
        created_at=at,
    )
    if product.state == ProductState.DRAFT:
        release_switch(release=release, at=at)
    return release, True
