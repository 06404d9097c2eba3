"""The shop: home, catalogue, product page, basket and checkout pages, sign-in; and what every page shares.

May import every floor below and Oscar. Start reading at urls.py and templates/market/base.html.
"""
