"""Free use from the claimant's side: what can be claimed, the claim from draft to grant, its evidence.

May import every floor below, market.storefront and market.consoles. Start reading at urls.py.
"""
