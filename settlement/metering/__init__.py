"""Usage events, refusals, receipts and quotas; a call is recorded once, for ever.

May import settlement.entitlements, pricing and products. Start reading at models.py, then services.py.
"""
