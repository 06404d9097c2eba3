"""The registration institution's pages: registrations issued, a new one, the end of one.

May import products and the storefront's shared parts. Start reading at views.py.
"""
