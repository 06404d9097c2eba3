"""The data provider's pages: resources with their dictionaries, and registrations.

May import every floor below and market.storefront. Start reading at urls.py.
"""
