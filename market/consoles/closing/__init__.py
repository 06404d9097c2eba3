"""Closing months, statements and payouts, as the platform and the parties see them.

May import every floor below and market.storefront. Start reading at views.py.
"""
