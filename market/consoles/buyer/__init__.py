"""The pages of who uses and buys: entitlements, keys, usage and its cost, orders, invoices, receipts.

May import every floor below and market.storefront. Start reading at urls.py.
"""
