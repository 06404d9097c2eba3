"""Forks of three Oscar apps: price strategy, orders, checkout. Each class is a short adapter to one function below.

May import Oscar and every floor. Start reading at docs/oscar.md.
"""
