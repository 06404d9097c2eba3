"""The regulator's morning: every case with its clock, what is overdue, and a page for each case.

May import every floor below, market.storefront and market.consoles.case_kinds. Start reading at views.py.
"""
