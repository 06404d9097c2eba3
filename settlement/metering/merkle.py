"""Merkle trees as RFC 6962, section 2.1 defines them: roots, audit paths, and the chain of roots. Pure; bytes in and out.

A leaf is SHA-256(0x00 ‖ entry), an inner node SHA-256(0x01 ‖ left ‖ right); the left part of a tree of n leaves has the
largest power of two below n. Because a chunk of 1 024 leaves is such a power, a tree over millions of leaves is the tree over
its chunks' nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

CHUNK = 1_024
HASH_BYTES = 32
GENESIS = bytes(HASH_BYTES)


def leaf(entry: bytes) -> bytes:
    """The leaf of an entry (here: the digest of an event)."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves, or over the nodes of chunks. Pairs are joined level by level; one left over moves up as it is."""
    if not leaves:
        return sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        joined = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of a leaf: its siblings from the leaf up to the root (RFC 6962, section 2.1.1). Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    level, found = list(leaves), []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            found.append(level[sibling])
        joined = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            joined.append(level[-1])
        level, index = joined, index // 2
    return found


def chunked_path(own: Sequence[bytes], chunks: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf ``index`` of the whole tree from the leaves of its own chunk and the nodes of all chunks."""
    return path(own, index % CHUNK) + path(chunks, index // CHUNK)


def root_by(hashed: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's path leads to (RFC 9162, section 2.1.3.2); None where the path has another length than it must."""
    if not 0 <= index < size:
        return None
    place, last = index, size - 1
    left = list(siblings)
    while last:
        if place % 2 or place < last:
            if not left:
                return None
            sibling = left.pop(0)
            hashed = node(sibling, hashed) if place % 2 else node(hashed, sibling)
        place, last = place // 2, last // 2
    return None if left else hashed


def chain(before: bytes, hour: datetime, size: int, root_: bytes) -> bytes:
    """SHA-256(chain before ‖ hour ‖ size ‖ root): hour (seconds since 1970) and size as eight bytes, highest first."""
    seconds = int(hour.timestamp())
    return sha256(before + seconds.to_bytes(8, "big") + size.to_bytes(8, "big") + root_).digest()


def chunks_of(entries: Iterable[bytes]) -> list[bytes]:
    """The nodes of the chunks of a tree over entries, for whoever has them all at hand."""
    leaves = [leaf(entry) for entry in entries]
    return [root(leaves[start : start + CHUNK]) for start in range(0, len(leaves), CHUNK)]


def split(joined: bytes) -> list[bytes]:
    """Hashes kept one behind the other."""
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]
