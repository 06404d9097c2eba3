"""The public record behind a product: resources, registrations, authorisations, purposes and scenarios.

May import products.organisations and products.record. Start reading at models.py.
"""
