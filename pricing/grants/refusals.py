"""What the free-use services say no with."""

from __future__ import annotations

from products.record.refusals import Refused


class PurposeIsCharged(Refused):
    """The purpose is not free: the use is bought in the shop (scenario 52)."""

    code = "purpose_is_charged"


class KindMayNotClaim(Refused):
    code = "kind_may_not_claim"


class ProductDoesNotServe(Refused):
    code = "product_does_not_serve"


class ClaimIncomplete(Refused):
    code = "claim_incomplete"


class ClaimNotOpen(Refused):
    code = "claim_not_open"


class DecisionIncomplete(Refused):
    code = "decision_incomplete"


class SamePersonDecides(Refused):
    code = "same_person"


class GrantBeyondAuthorisation(Refused):
    code = "grant_beyond_authorisation"
