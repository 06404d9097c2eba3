"""Money that arrives: payment intents, Stripe (stripe.py is its only door) and bank transfers.

May import settlement.ledger and products. Start reading at base.py, then stripe.py and bank.py.
"""
