"""Owns the recomputation of everything: served = metered = rated = invoiced = posted = paid + open, and all chains and balances.

May import models, pricing.rules and pricing.documents, and the audit chain; never settlement.billing, ledger or shares code.
Start reading at run.py; each module checks one part and yields mismatches.
"""
