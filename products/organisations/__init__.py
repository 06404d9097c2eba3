"""People, organisations and who may act for whom.

Imports nothing above. Start reading at models.py, then services.py.
"""
