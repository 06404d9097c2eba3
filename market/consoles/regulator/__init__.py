"""The price regulator's console, and the data bureau's view of the same: caps and tariffs filed, with days left.

May import every floor below and market.storefront. Start reading at urls.py.
"""
