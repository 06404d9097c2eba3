"""Remote hosts, the egress allow-list: an operator asks and withdraws, a reviewer of another organisation decides.

May import every floor below and market.storefront. Start reading at urls.py, then views.py.
"""
