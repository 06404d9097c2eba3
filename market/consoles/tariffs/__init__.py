"""The operator's tariff pages: what is in force, file a new one (form or JSON), check it under its caps first.

May import every floor below and market.storefront. Start reading at urls.py; comparison.py serves the regulator's page too.
"""
