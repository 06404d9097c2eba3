"""The gateway's servers and its stall serve here too."""

from tests.market.gateway.conftest import serve, stall  # noqa: F401  fixtures
