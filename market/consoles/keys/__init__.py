"""Owns a key's own page, the same for all kinds of key: its limits, change it for a new one, revoke it.

May import settlement.entitlements, market.storefront and what lies below. Start reading at views.py.
"""
