"""Distribution agreements, shares of revenue, statements and payouts.

May import settlement.ledger and products; billing calls it. Start reading at models.py, then services.py.
"""
