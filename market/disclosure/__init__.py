"""What is open to all without signing in: operators, their capability lists, authorisations.

May import every floor below. Start reading at capabilities.py (the rows), then views.py; docs/disclosure.md names the columns.
"""
