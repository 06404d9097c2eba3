"""Consents taken back: the buyer records them and answers what people told it; anybody may tell from outside.

May import every floor below, market.storefront and market.gateway.consent (its digests). Start reading at views.py.
"""
