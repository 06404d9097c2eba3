"""The what-if bench in the consoles of regulators, authorising bodies and operators.

May import settlement.whatif and what lies below. Start reading at views.py; forms.py turns what was typed into a draft document.
"""
