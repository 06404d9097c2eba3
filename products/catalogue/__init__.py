"""Data products, their releases, and the gate before they are listed.

May import products.registry, products.record and products.organisations. Start reading at models.py and listing_gate.py.
"""
