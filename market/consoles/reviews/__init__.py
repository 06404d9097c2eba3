"""The reviewers' pages: the queue of products that wait for a review, and the two reviews of one product.

May import every floor below and market.storefront. Start reading at urls.py, then views.py.
"""
