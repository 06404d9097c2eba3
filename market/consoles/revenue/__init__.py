"""Permitted revenues and their accounts, for everybody concerned: regulator, data bureau, operator, authorising body.

May import every floor below, market.storefront and market.consoles. One set of pages under three consoles: urls.py mounts them,
access.py says who sees what, views.py shows, acts.py does.
"""
