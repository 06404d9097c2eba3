"""Distribution agreements, shares of revenue, statements and payouts.

May import settlement.billing, settlement.ledger and products. Start reading at models.py, then services.py.
"""
