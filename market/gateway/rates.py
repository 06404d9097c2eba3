"""Rate limits: a token bucket a key, in this process (n gateways let through up to n times the rate)."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_SECONDS = 60
MOST_BUCKETS = 100_000


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether the call may pass, how many more may at once, and the seconds until one (if not) or all (if so) may."""

    is_allowed: bool
    remaining: int
    seconds: int


class Rates:
    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}

    def take(self, key: int, per_minute: int, now: float) -> Allowance:
        """Take one token of the key's bucket of ``per_minute``; ``now`` is a monotonic clock in seconds."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.clear()  # everyone starts full again: late by a minute at most
            bucket = self._buckets[key] = Bucket(per_minute, now)
        rate = per_minute / WINDOW_SECONDS
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / rate if rate else WINDOW_SECONDS
            return Allowance(False, 0, max(1, int(wait + 0.999)))
        bucket.tokens -= 1
        return Allowance(True, int(bucket.tokens), int((per_minute - bucket.tokens) / rate + 0.999))
