"""Cost filings: an operator's cost ledger of a year, row by row admitted or not, shared costs allocated by a versioned rule.

May import pricing.parameters and products. Start reading at models.py, then services.py.
"""
