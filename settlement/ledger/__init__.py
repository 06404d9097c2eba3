"""Accounts, transactions and postings; append-only and balanced.

May import products. Start reading at models.py, then services.py.
"""
