"""A worker that no supervisor watches ends when it stands still, and only then."""

from __future__ import annotations

from collections.abc import Sequence

from ops.self_watch import judged
from ops.watchdog import Lag, Watch

SLOT = 3


def orders(position: int, end: int, slot: int | None) -> Lag:
    return Lag("sales.order.v1", 0, position, end, slot)


def verdicts(looks: Sequence[Lag]) -> list[str | None]:
    """What is decided at each look, one every ten seconds from the start on."""
    watch, found = Watch(), []
    for number, lag in enumerate(looks):
        watch, reason = judged(watch, [lag], SLOT, 0.0, 10.0 * number)
        found.append(reason)
    return found


def test_a_worker_that_stands_still_with_lag_ends_after_half_a_minute() -> None:
    found = verdicts([orders(5, 9, SLOT)] * 5)
    assert found[:3] == [None] * 3
    assert found[3] is not None and "no position moved" in found[3]


def test_a_worker_that_moves_goes_on() -> None:
    assert verdicts([orders(place, 99, SLOT) for place in range(8)]) == [None] * 8


def test_a_worker_with_nothing_to_do_goes_on() -> None:
    assert verdicts([orders(9, 9, SLOT)] * 8) == [None] * 8


def test_another_worker_that_stands_still_is_no_reason_to_end() -> None:
    assert verdicts([orders(5, 9, 1)] * 8) == [None] * 8


def test_a_worker_that_was_given_nothing_ends_while_records_have_no_worker() -> None:
    found = verdicts([orders(5, 9, None)] * 5)
    assert found[3] is not None and "assigned nothing" in found[3]
