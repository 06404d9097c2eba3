"""From the database to the runtimes: a ``Release`` row as the frozen spec that ``host.load`` takes."""

from __future__ import annotations

from products.catalogue.models import Release
from products.runtimes.base import ReleaseSpec


def spec_of(release: Release) -> ReleaseSpec:
    """The release as the runtimes see it; reads its product."""
    return ReleaseSpec(
        product_code=release.product.code,
        version=release.version,
        type=release.product.type,
        config=release.config,
        artifact=bytes(release.artifact),
        input_schema=release.input_schema,
        output_schema=release.output_schema,
    )


def active_release(*, product_code: str) -> Release | None:
    """The release that answers calls of a product now."""
    return Release.objects.select_related("product").filter(product__code=product_code, state=Release.State.ACTIVE).first()


def release_of(*, product_code: str, version: int) -> Release | None:
    """One version, for a delivery link that was signed while it was active."""
    return Release.objects.select_related("product").filter(product__code=product_code, version=version).first()
