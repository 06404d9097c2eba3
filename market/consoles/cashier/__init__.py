"""The platform's cashier: bank transfers that wait, and confirming that they arrived.

May import every floor below and market.storefront. Start reading at views.py.
"""
