"""Sets of caps in the authorising body's console: start from a permitted revenue, compare three ways, adjust, file, publish.

May import every floor below and market.storefront. Start reading at urls.py; volumes.py says where expected volumes come from.
"""
