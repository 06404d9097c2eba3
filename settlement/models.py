"""Every model of the settlement floor."""

from settlement.billing.models import BillingMonth, Charge, Deposit, Invoice, InvoiceLine
from settlement.entitlements.models import ApiKey, ConsentWithdrawal, EmergencyStop, Entitlement, JoinReview, Quota
from settlement.ledger.models import Account, AccountBalance, LedgerTransaction, Posting
from settlement.metering.models import (
    ArchivedMonth,
    IdempotentAnswer,
    ReceiptTree,
    Refusal,
    UsageEvent,
    UsageIdentity,
    UsageRollup,
)
from settlement.oversight.models import ChargedVolume, DemandForecast, DemandOutlook, EqualTreatmentFlag
from settlement.payments.models import PaymentIntent, WebhookEvent
from settlement.shares.models import DistributionAgreement, Payout, PayoutLine, Settlement, Share
from settlement.whatif.models import WhatIfCase

__all__ = [
    "Account",
    "AccountBalance",
    "ApiKey",
    "ArchivedMonth",
    "BillingMonth",
    "Charge",
    "ChargedVolume",
    "ConsentWithdrawal",
    "DemandForecast",
    "DemandOutlook",
    "Deposit",
    "DistributionAgreement",
    "EmergencyStop",
    "Entitlement",
    "EqualTreatmentFlag",
    "IdempotentAnswer",
    "Invoice",
    "InvoiceLine",
    "JoinReview",
    "LedgerTransaction",
    "PaymentIntent",
    "Payout",
    "PayoutLine",
    "Posting",
    "Quota",
    "ReceiptTree",
    "Refusal",
    "Settlement",
    "Share",
    "UsageEvent",
    "UsageIdentity",
    "UsageRollup",
    "WebhookEvent",
    "WhatIfCase",
]
