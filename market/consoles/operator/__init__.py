"""The operator's pages: its products from draft to shop, plans, usage keys, and how sales and calls go.

May import every floor below and market.storefront. Start reading at urls.py, then views.py.
"""
