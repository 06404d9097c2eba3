"""Merkle trees against RFC 6962: its definition written out a second time, and the vectors of Certificate Transparency."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.metering import merkle

ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [  # of the first n entries, as the reference implementation of Certificate Transparency has them
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + defined(leaves[:k]) + defined(leaves[k:])).digest()


def entries(count: int) -> list[bytes]:
    return [number.to_bytes(32, "big") for number in range(count)]


@pytest.mark.parametrize("count", range(9))
def test_root_is_that_of_the_reference_implementation(count):
    leaves = [merkle.leaf(bytes.fromhex(entry)) for entry in ENTRIES[:count]]
    assert merkle.root(leaves).hex() == ROOTS[count]


@given(st.integers(1, 300), st.data())
@settings(max_examples=60, deadline=None)
def test_every_leafs_path_leads_to_the_root_and_no_other_leafs_does(count, data):
    leaves = [merkle.leaf(entry) for entry in entries(count)]
    root = merkle.root(leaves)
    assert root == defined(leaves)
    index = data.draw(st.integers(0, count - 1))
    path = merkle.path(leaves, index)
    assert merkle.root_by(leaves[index], index, count, path) == root
    assert merkle.root_by(merkle.leaf(b"other"), index, count, path) != root
    other = data.draw(st.integers(0, count - 1))
    if other != index:
        assert merkle.root_by(leaves[index], other, count, path) != root
    assert merkle.root_by(leaves[index], index, count, [*path, root]) is None
    if path:
        assert merkle.root_by(leaves[index], index, count, path[:-1]) != root


@pytest.mark.parametrize("count", [1, 1_023, 1_024, 1_025, 2_048, 3_000, 4_097])
def test_tree_over_chunks_is_the_tree_over_leaves(count):
    leaves, chunks = [merkle.leaf(entry) for entry in entries(count)], merkle.chunks_of(entries(count))
    assert merkle.root(chunks) == defined(leaves) and merkle.split(b"".join(chunks)) == chunks
    for index in {0, min(1_023, count - 1), count // 2, count - 1}:
        start = index // merkle.CHUNK * merkle.CHUNK
        path = merkle.chunked_path(leaves[start : start + merkle.CHUNK], chunks, index)
        assert path == merkle.path(leaves, index)
        assert merkle.root_by(leaves[index], index, count, path) == defined(leaves)
