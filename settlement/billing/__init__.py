"""The close: charges, invoices, deposits, billing months.

May import the other packages of settlement, pricing and products. Start reading at services.py (close_month), then rules.py.
"""
