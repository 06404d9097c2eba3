"""Conditional free use: claims, decisions by two people, grants with a quota and an end.

May import pricing.bodies, pricing.parameters and products. Start reading at models.py, then claims.py and decisions.py.
"""
