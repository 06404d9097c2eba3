"""Who may call what

May import  entitlements and API keys.:pricing and products. Start reading at models.py, then services.py.
"""
