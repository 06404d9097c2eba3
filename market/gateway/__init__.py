"""The gateway: calls of products, reported usage, receipts, deliveries; a raw ASGI app without Django's request stack.

May import settlement, pricing and products, and Django's settings and translation. Start reading at app.py, then calls.py.
"""
