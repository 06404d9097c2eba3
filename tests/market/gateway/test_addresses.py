"""Where a request comes from: the connection, or what as many trusted proxies saw."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from market.gateway.addresses import client_address, is_inside


def scope(peer: str | None, *forwarded: str) -> dict:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"client": (peer, 4711) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", (), 0, "192.0.2.1"),
        ("192.0.2.1", ("10.0.0.1",), 0, "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), 1, "198.51.100.7"),
        ("192.0.2.1", ("10.0.0.1, 198.51.100.7",), 1, "198.51.100.7"),
        ("192.0.2.1", ("10.0.0.1", "198.51.100.7"), 1, "198.51.100.7"),
        ("192.0.2.1", ("10.0.0.1, 198.51.100.7, 192.0.2.9",), 2, "198.51.100.7"),
        ("192.0.2.1", (), 1, "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7:4711",), 1, "198.51.100.7"),
        ("192.0.2.1", ("[2001:db8::7]:4711",), 1, "2001:db8::7"),
        ("192.0.2.1", ("2001:db8::7",), 1, "2001:db8::7"),
        ("::ffff:192.0.2.1", (), 0, "192.0.2.1"),
        ("192.0.2.1", ("unknown",), 1, None),
        (None, (), 0, None),
        (None, ("198.51.100.7",), 1, "198.51.100.7"),
        ("192.0.2.1", (), -1, "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_that_the_outermost_trusted_proxy_saw(peer, forwarded, proxies, expected):
    found = client_address(scope(peer, *forwarded), proxies)
    assert found == (ip_address(expected) if expected else None)


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("198.51.100.7", ("198.51.100.0/24",), True),
        ("198.51.100.7", ("10.0.0.0/8", "198.51.100.7/32"), True),
        ("198.51.101.7", ("198.51.100.0/24",), False),
        ("2001:db8::7", ("198.51.100.0/24", "2001:db8::/32"), True),
        ("2001:db9::7", ("0.0.0.0/0", "2001:db8::/32"), False),
        (None, ("0.0.0.0/0", "::/0"), False),
    ],
)
def test_an_address_is_inside_the_networks_of_its_own_version(address, networks, expected):
    assert is_inside(ip_address(address) if address else None, networks) is expected
