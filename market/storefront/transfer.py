"""What a payer is told about a bank transfer: the platform's collecting account, the reference, until when."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from products.organisations.models import Organisation, OrganisationKind
from products.record.clock import business_date
from settlement.payments.bank import BankAccount, TransferInstructions
from settlement.payments.models import PaymentIntent

TRANSFER_DAYS = 14


def transfer_instructions(intent: PaymentIntent) -> TransferInstructions:
    """The account is a setting of the installation; its holder is the platform."""
    platform = Organisation.objects.filter(kind=OrganisationKind.PLATFORM).order_by("id").first()
    account = BankAccount(
        holder=platform.name if platform else "",
        number=settings.BANK_ACCOUNT,
        bank=settings.BANK_NAME,
        bank_code=settings.BANK_CODE,
    )
    due = business_date(intent.created_at) + timedelta(days=TRANSFER_DAYS)
    return TransferInstructions(account, intent.transfer_reference or "", intent.amount_minor, intent.currency, due)
