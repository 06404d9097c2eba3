"""The shared ground: clock, refusals, audit trail, notices, evidence, cases, rule sets, calendar, maker-checker.

May import products.organisations' models only. Start reading at audit.py and cases.py.
"""
