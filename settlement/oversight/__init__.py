"""What regulators watch: revenue against what is permitted, demand forecasts, equal treatment.

May import pricing and products; reads charges and entitlements. Start reading at models.py, then revenue.py.
"""
