"""The regulator's page on an affiliate's re-development: who controls whom, what stands on what, and the decision.

May import every floor below and market.storefront. Start reading at views.py.
"""
