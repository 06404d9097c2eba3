"""Conditional free use, from claim to grant: the claimant's services and the authorising body's."""

from pricing.grants.claims import grant_add_evidence, grant_claim, grant_edit, grant_submit, grant_withdraw
from pricing.grants.decisions import grant_ask_corrections, grant_check, grant_decide, grant_revoke

__all__ = [
    "grant_add_evidence",
    "grant_ask_corrections",
    "grant_check",
    "grant_claim",
    "grant_decide",
    "grant_edit",
    "grant_revoke",
    "grant_submit",
    "grant_withdraw",
]
