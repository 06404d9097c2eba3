"""The authorising body's pages on authorisations: draft, scope, what is missing, activation by another person, suspension, end.

May import every floor below and market.storefront. Start reading at urls.py, then views.py.
"""
