"""How a release of a data product runs: index, verification, model, report; never a product that delivers rows.

May import products.record and the libraries each runtime needs; no HTTP, no clock, no database (only limits.py and
releases.py know it). Start reading at base.py, then host.py.
"""
