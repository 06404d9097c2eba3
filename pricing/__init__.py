"""What a product costs: tariffs, caps, quotes and grants; simulation and estimation as pure functions.

May import products. Start reading at rules.py (the arithmetic), then quote.py (the one price door).
"""
