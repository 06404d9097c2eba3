"""Estimates as pure functions, each with its error: demand, the crossing day, comparable products, outliers in costs.

May import products' words and nothing above pricing; the only place of pricing that knows scikit-learn, always imported inside
functions. Data come in as arguments, numbers go out. Start reading at demand.py; made_up.py is what they are all tried on.
"""
