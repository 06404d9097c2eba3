"""The platform's pages: checking certificates.

May import every floor below and market.storefront. Start reading at urls.py.
"""
