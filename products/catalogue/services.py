"""What happens to a product after it is filed: reviews, listing, suspension, the change of releases.

Each service claims its row first, so that two people who act at once get one act; the audit entry comes last (it holds the
trail's lock to the commit).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.catalogue.listing_gate import Gap, PriceState, listing_gaps
from products.catalogue.models import DataProduct, ProductState, Release, ReviewRecord
from products.catalogue.permissions import require_publisher, require_reviewer, require_stopper
from products.organisations.models import User
from products.record.audit import record
from products.record.refusals import Refused


class ListingRefused(Refused):
    """The product may not be listed: ``gaps`` says everything that is missing."""

    code = "listing_refused"

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self.gaps = list(gaps)
        super().__init__(_("This product may not be listed yet."), gaps=[gap.code for gap in self.gaps])


class ProductStateRefused(Refused):
    """The product, release or review is not in a state in which this can be done."""

    code = "product_state_refused"


class ReasonMissing(Refused):
    """A decision needs a reason."""

    code = "reason_missing"


@transaction.atomic
def product_list(
    *, product: DataProduct, price_state: PriceState | None, by: User, at: datetime, licences: Collection[str] | None = None
) -> DataProduct:
    """Put a draft or suspended product into the shop; ``licences`` as in ``listing_gaps``.

    Raises ``ListingRefused`` with every gap, ``ProductStateRefused``.
    """
    require_publisher(by, product.operator)
    product = DataProduct.objects.select_for_update(of=("self",)).select_related("operator", "authorisation").get(pk=product.pk)
    if product.state not in (ProductState.DRAFT, ProductState.SUSPENDED):
        raise ProductStateRefused(_("Only a draft or a suspended product can be listed."))
    gaps = listing_gaps(product=product, at=at, price_state=price_state, licences=licences)
    if gaps:
        raise ListingRefused(gaps)
    before = product.state
    product.state, product.state_reason, product.listed_at = ProductState.LISTED, "", at
    product.save(update_fields=["state", "state_reason", "listed_at"])
    record(action="product.listed", obj=product, actor=by, organisation=product.operator, at=at, facts={"from": before})
    return product


def product_suspend(*, product: DataProduct, reason: str, by: User, at: datetime) -> DataProduct:
    """Take a listed product out of the shop for a time; running calls are refused from the commit on."""
    return _stop(product, [ProductState.LISTED], ProductState.SUSPENDED, reason, by, at)


def product_delist(*, product: DataProduct, reason: str, by: User, at: datetime) -> DataProduct:
    """Take a product out of the shop for good."""
    return _stop(
        product, [ProductState.LISTED, ProductState.SUSPENDED, ProductState.DRAFT], ProductState.DELISTED, reason, by, at
    )


@transaction.atomic
def _stop(
    product: DataProduct, before: Sequence[ProductState], after: ProductState, reason: str, by: User, at: datetime
) -> DataProduct:
    require_stopper(by, product)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(_("Give the reason; it is shown to the buyers."), field="reason")
    claimed = DataProduct.objects.filter(pk=product.pk, state__in=before).update(state=after, state_reason=reason[:300])
    if not claimed:
        raise ProductStateRefused(_("The product is not in a state in which it can be stopped."))
    product.refresh_from_db(fields=["state", "state_reason"])
    record(action=f"product.{after.value}", obj=product, actor=by, organisation=product.operator, at=at, reason=reason)
    return product


@transaction.atomic
def reviews_request(*, product: DataProduct, by: User, at: datetime) -> list[ReviewRecord]:
    """Ask for both reviews of the newest release; an open one is asked anew. Returns the two open records."""
    require_publisher(by, product.operator)
    reviews = [_review_ask(product, kind, by, at) for kind in ReviewRecord.Kind.values]
    record(action="product.reviews_requested", obj=product, actor=by, organisation=product.operator, at=at)
    return reviews


def _review_ask(product: DataProduct, kind: str, by: User, at: datetime) -> ReviewRecord:
    review, is_new = ReviewRecord.objects.get_or_create(
        product=product, kind=kind, state=ReviewRecord.State.REQUESTED, defaults={"requested_by": by, "requested_at": at}
    )
    if not is_new:
        review.requested_by, review.requested_at = by, at
        review.save(update_fields=["requested_by", "requested_at"])
    return review


@transaction.atomic
def review_decide(
    *, review: ReviewRecord, is_passed: bool, reason: str, by: User, at: datetime, insists_on_consent: bool = False
) -> ReviewRecord:
    """Pass or fail a review, by a person from outside the operator, with a reason.

    ``insists_on_consent``: from now on each call names the consent of the person asked about, whatever the operator files.
    """
    require_reviewer(by, review.product)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing(_("Give the reason for the decision."), field="reason")
    state = ReviewRecord.State.PASSED if is_passed else ReviewRecord.State.FAILED
    claimed = ReviewRecord.objects.filter(pk=review.pk, state=ReviewRecord.State.REQUESTED).exclude(requested_by=by)
    if not claimed.update(state=state, reviewed_by=by, reviewed_at=at, reason=reason):
        raise ProductStateRefused(_("This review is already decided, or you asked for it yourself."))
    review.refresh_from_db()
    facts = {"kind": review.kind, "state": review.state}
    if insists_on_consent:
        DataProduct.objects.filter(pk=review.product_id).update(needs_consent=True, is_consent_insisted=True)
        facts["insists_on_consent"] = True
    record(action="product.reviewed", obj=review.product, actor=by, at=at, reason=reason, facts=facts)
    return review


@transaction.atomic
def release_activate(*, release: Release, by: User, at: datetime) -> Release:
    """Let a new version answer the calls of a product, once both reviews of it are passed. The one before is retired."""
    product = DataProduct.objects.select_for_update().get(pk=release.product_id)
    require_publisher(by, product.operator)
    passed = ReviewRecord.objects.filter(
        product=product, state=ReviewRecord.State.PASSED, requested_at__gte=release.created_at
    ).values_list("kind", flat=True)
    if release.state != Release.State.DRAFT or set(passed) != set(ReviewRecord.Kind.values):
        raise ProductStateRefused(_("A release runs once both of its reviews are passed."))
    release_switch(release=release, at=at)
    facts = {"version": release.version, "sha256": release.sha256}
    record(action="release.activated", obj=release, actor=by, organisation=product.operator, at=at, facts=facts)
    return release


def release_switch(*, release: Release, at: datetime) -> None:
    """Retire the active release and activate this one. Inside the caller's transaction, under the product's row lock."""
    Release.objects.filter(product_id=release.product_id, state=Release.State.ACTIVE).update(state=Release.State.RETIRED)
    Release.objects.filter(pk=release.pk).update(state=Release.State.ACTIVE, activated_at=at)
    release.state, release.activated_at = Release.State.ACTIVE, at
