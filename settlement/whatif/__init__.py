"""The what-if bench: replays any part of real history under a draft, through the same rating engine.

May import pricing.simulation, settlement.billing and what lies below. Start reading at models.py, then services.py.
"""
