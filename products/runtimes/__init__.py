"""How a release of a data product runs: index, verification, model, report; never a product that delivers rows.

May import products.record and the libraries each runtime needs; no database, no HTTP, no clock. Start reading at
base.py, then host.py.
"""
