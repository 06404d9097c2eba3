"""The site and the gateway: the only floor that knows Oscar, HTML and HTTP.

May import every floor below. Start reading at settings.py, urls.py and asgi.py.
"""
