"""PostgreSQL without an installation: the server of a wheel, started on the first connection, stopped after the last.

Imports nothing of ours. Start reading at embedded.py; supervise.py owns the server, base.py is the Django backend.
"""
