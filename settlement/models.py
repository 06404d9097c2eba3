"""Every model of the settlement floor."""

from settlement.billing.models import BillingMonth, Charge, Deposit, Invoice, InvoiceLine
from settlement.entitlements.models import ApiKey, Entitlement, Quota
from settlement.ledger.models import Account, AccountBalance, LedgerTransaction, Posting
from settlement.metering.models import IdempotentAnswer, Refusal, UsageEvent, UsageIdentity
from settlement.oversight.models import ChargedVolume, DemandForecast, DemandOutlook, EqualTreatmentFlag
from settlement.payments.models import PaymentIntent, WebhookEvent
from settlement.shares.models import DistributionAgreement, Payout, PayoutLine, Settlement, Share
from settlement.whatif.models import WhatIfCase

__all__ = [
    "Account",
    "AccountBalance",
    "ApiKey",
    "BillingMonth",
    "Charge",
    "ChargedVolume",
    "DemandForecast",
    "DemandOutlook",
    "Deposit",
    "DistributionAgreement",
    "Entitlement",
    "EqualTreatmentFlag",
    "IdempotentAnswer",
    "Invoice",
    "InvoiceLine",
    "LedgerTransaction",
    "PaymentIntent",
    "Payout",
    "PayoutLine",
    "Posting",
    "Quota",
    "Refusal",
    "Settlement",
    "Share",
    "UsageEvent",
    "UsageIdentity",
    "WebhookEvent",
    "WhatIfCase",
]
