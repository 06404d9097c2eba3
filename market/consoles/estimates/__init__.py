"""Estimates for those who set, file and watch prices: demand forecasts held against what came, comparable prices.

May import every floor below and market.storefront. One set of pages under three consoles; start reading at scope.py.
"""
