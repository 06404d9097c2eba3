"""The acting organisation's own pages: its profile with the certificate, its members and invitations.

May import every floor below and market.storefront. Start reading at urls.py.
"""
