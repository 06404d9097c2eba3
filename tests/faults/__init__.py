"""Faults: real gateways, a real worker and a real PostgreSQL are killed, cut, stalled and starved while calls with known ids run.

What must hold afterwards, to the unit: answered 2xx = events = usage by the hour = quota moves. Start reading at test_faults.py.
"""
