"""The what-if bench: replays any part of real history under a draft, through the same rating engine.

May import pricing.simulation, settlement.billing and what lies below. Start reading at services.py: history.py loads, drafts.py
reads what is to change, replay.py rates it, results.py sums up, estimates.py guesses how demand answers.
"""
