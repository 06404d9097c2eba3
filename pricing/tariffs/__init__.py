"""Plans and their dated tariffs, filed by operators.

May import pricing.rules, pricing.documents and products. Start reading at models.py, then services.py.
"""
