"""The whole market with made-up data: who takes part, what they did, and the processes that serve it.

May import every floor. Start reading at processes.py (what runs) and story.py (what happened).
"""
