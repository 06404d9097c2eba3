"""The rules of a place and its working days: one person proposes a version, another approves; the calendar as readers want it.

May import every floor below, market.storefront and market.disclosure. Start reading at urls.py.
"""
