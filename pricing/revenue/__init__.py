"""Caps with their written reports; later the permitted revenue.

May import pricing.rules, pricing.documents and products. Start reading at models.py, then services.py.
"""
