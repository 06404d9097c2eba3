"""The signed-in pages, a package per kind of organisation: what a person's roles offer.

May import every floor below and market.storefront. Start reading at menu.py, then <console>/urls.py.
"""
