"""Conditional free use

May import  claims, decisions, grants.:products. Start reading at models.py, then services.py.
"""
