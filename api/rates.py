"""Bounds how often each caller may call: a bucket that fills at a steady rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

from api.problems import Problem

_MOST_CALLERS = 10_000


class Rates:
    """Requests of callers; a second's worth of them may come at once.

    Args:
        per_second: requests of one caller.
        clock: gives seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def count(self, caller: str) -> None:
        """Count a request.

        Raises:
            Problem: the caller has to wait.
        """
        now = self._clock()
        left, at = self._left.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        if left < 1.0:
            self._left[caller] = left, now
            wait = math.ceil((1.0 - left) / self._per_second)
            detail = f"more than {self._per_second:g} requests per second: wait, or send batches"
            raise Problem(429, "too_many_requests", detail, retry_after=max(1, wait))
        if caller not in self._left and len(self._left) >= _MOST_CALLERS:
            # Those who have been away longest have full buckets.
            self._left.pop(next(iter(self._left)))
        self._left.pop(caller, None)
        self._left[caller] = left - 1.0, now
