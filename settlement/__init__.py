"""Who used what, and who owes whom: entitlements, metering, charges, invoices, ledger, shares, payouts.

May import pricing and products. Start reading at entitlements/, metering/ and billing/.
"""
