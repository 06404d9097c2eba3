"""The operator's bundles: put plans together for a scenario, file their tariffs together, open and close.

May import every floor below and market.storefront. Start reading at urls.py.
"""
