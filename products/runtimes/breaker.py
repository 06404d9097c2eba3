"""A circuit breaker: a service that keeps failing is left alone for a while, then asked once whether it is well again.

Pure: the caller's monotonic seconds come in as ``now``.
"""

from __future__ import annotations

from collections import deque

FAULTS = 5
WINDOW_SECONDS = 30.0
OPEN_SECONDS = 15.0


class Breaker:
    """``wait`` before a call, then exactly one of ``succeeded``, ``failed``, ``let_go`` (nobody knows) after it."""

    def __init__(self, *, faults: int = FAULTS, window: float = WINDOW_SECONDS, rest: float = OPEN_SECONDS) -> None:
        self._faults, self._window, self._rest = faults, window, rest
        self._failed: deque[float] = deque(maxlen=faults)
        self._opened: float | None = None
        self._is_probing = False
        self.openings = 0

    def state(self, now: float) -> str:
        """``closed`` (calls pass), ``open`` (none does) or ``half-open`` (one may try)."""
        if self._opened is None:
            return "closed"
        return "open" if now < self._opened + self._rest else "half-open"

    def wait(self, now: float) -> float:
        """Seconds until it is worth trying; 0.0 where a call may pass now."""
        if self._opened is None:
            return 0.0
        left = self._opened + self._rest - now
        return left if left > 0 else 1.0 if self._is_probing else 0.0

    def begin(self) -> None:
        """A call goes out; of a service that rested it is the probe, and the others wait for it."""
        self._is_probing = self._opened is not None

    def succeeded(self) -> None:
        self._failed.clear()
        self._opened, self._is_probing = None, False

    def failed(self, now: float) -> None:
        self._failed.append(now)
        is_crowded = len(self._failed) == self._faults and self._failed[0] >= now - self._window
        if self._is_probing or (self._opened is None and is_crowded):
            self._opened, self._is_probing = now, False
            self.openings += 1

    def let_go(self) -> None:
        """The call ended without telling anything about the service (its caller went away): the next may probe."""
        self._is_probing = False
