"""The close: charges, invoices, deposits, billing months.

May import the other packages of settlement except shares, pricing and products. Start reading at models.py, then services.py.
"""
