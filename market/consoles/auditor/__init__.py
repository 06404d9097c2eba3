"""The auditor's pages: the audit trail and its chain.

May import every floor below and market.storefront. Start reading at urls.py.
"""
