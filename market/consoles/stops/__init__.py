"""Owns the pages of emergency stops: start, look, ask to lift, decide, for those who may stop something.

May import settlement.entitlements, market.storefront and what lies below. Start reading at views.py.
"""
