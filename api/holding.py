"""How long requests wait for a source that another process holds, without holding up the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

#: As long is waited for the source.
HELD_S = 5.0


class Holdable(Protocol):
    """A request; ``held_until`` is when it has waited long enough, None before its first try."""

    held_until: float | None


Request = TypeVar("Request", bound=Holdable)


def wait_on(requests: Sequence[Request], now: float) -> tuple[list[Request], list[Request]]:
    """Those that may be tried again, and those that have waited long enough.

    Args:
        requests: for which the source was held just now.
        now: seconds from anywhere, never going back.
    """
    waiting: list[Request] = []
    late: list[Request] = []
    for one in requests:
        if one.held_until is None:
            one.held_until = now + HELD_S
        (waiting if now < one.held_until else late).append(one)
    return waiting, late
