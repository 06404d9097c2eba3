"""Products held together: the buyer asks for a review, reviewers decide, a data bureau makes the rules by two people.

May import every floor below and market.storefront. Start reading at urls.py, then reviews.py and rules.py.
"""
