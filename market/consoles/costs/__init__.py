"""Cost filings in the consoles: the operator files its ledger of a year, the price regulator audits it, the data bureau reads.

May import every floor below and market.storefront. Start reading at urls.py (the operator) and audit_urls.py (the regulator).
"""
