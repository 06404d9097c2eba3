"""The authorising body's console: caps from draft to publication, free-use claims from statement to decision.

May import every floor below and market.storefront. Start reading at urls.py.
"""
