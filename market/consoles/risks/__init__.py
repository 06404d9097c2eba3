"""Risk cases of entitlements: the authorising body decides them, the buyer reads and explains.

May import every floor below and market.storefront. Start reading at urls.py, then views.py.
"""
