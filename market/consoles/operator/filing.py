"""From what a person typed or uploaded to the publishing service: the same door as ``manage.py publish_product``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from products.catalogue.models import DataProduct, Release
from products.catalogue.publishing import Published
from products.catalogue.remote_hosts import product_may_call
from products.catalogue.spec import SpecRefused, spec_checked
from products.organisations.models import Organisation, User
from products.runtimes.base import Secrets
from products.runtimes.egress import egress
from products.runtimes.keys import secrets_from
from settlement.publishing import product_file


def secrets() -> Secrets:
    """Product keys from the environment, the key that signs delivery links, and the way out to operators' own services."""
    return secrets_from(os.environ, link_key=settings.SIGNING_KEY.encode(), egress=egress(allows=product_may_call))


def file_product(*, raw: Mapping[str, Any], data: bytes, operator: Organisation, user: User, at: datetime) -> Published:
    """File a spec for the operator. Raises what ``product_file`` raises; a spec that names another operator is refused."""
    named = raw.get("operator", operator.slug) if isinstance(raw, Mapping) else operator.slug
    if named not in (operator.slug, operator.uscc):
        raise SpecRefused([{"pointer": "/operator", "message": _("must be the organisation for which you act")}])
    _check_upload(raw, data)
    spec = spec_checked({**raw, "operator": operator.slug} if isinstance(raw, Mapping) else raw, data=data)
    return product_file(spec=spec, secrets=secrets(), by=user, at=at).published


def _check_upload(raw: Any, data: bytes) -> None:
    """A data file comes exactly where the release names one; a remote one names none. Other shapes are the spec's to refuse."""
    release = raw.get("release") if isinstance(raw, Mapping) else None
    if isinstance(release, Mapping) and bool(data) != ("data" in release):
        message = _("a file was given, but the release names none") if data else _("is required")
        raise SpecRefused([{"pointer": "/release/data", "message": message}])


def initial_of(product: DataProduct, release: Release | None) -> dict[str, Any]:
    """The product form's values for a product that is there; the data file is uploaded anew."""
    values: dict[str, Any] = {
        "code": product.code,
        "resources": list(product.resources.values_list("code", flat=True)),
        "built_on": list(product.built_on.values_list("code", flat=True)),
        "purposes": product.purposes,
        "scenarios": product.scenarios,
        "regime": product.regime,
        "necessity": product.necessity,
        "open_first_override": product.open_first_override,
        "concepts": product.concepts,
        "needs_consent": product.needs_consent,
        "consent_exemption": product.consent_exemption,
        "update_frequency": product.update_frequency,
    }
    for text in ("name", "summary", "description"):
        values |= {f"{text}_zh": getattr(product, text), f"{text}_en": getattr(product, f"{text}_en")}
    if release:
        values |= {"config": release.config, "samples": [release.sample_input]}
        values |= {"input_schema": release.input_schema, "output_schema": release.output_schema}
    return values
