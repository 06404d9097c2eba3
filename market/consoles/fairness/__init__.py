"""Equal treatment in the consoles: findings, refusals to supply, concentration; for regulators, operators and buyers.

May import every floor below. Start reading at regulator.py, then operator.py and buyer.py.
"""
