"""The watchdog's judgement, stepped with plain values and a clock of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ops.watchdog import Lag, Watch, look, stalled

STALL = 30.0


def lag(position: int, end: int, slot: int | None = 0, partition: int = 0) -> Lag:
    return Lag("sales.order.v1", partition, position, end, slot)


def judged(
    looks: Sequence[tuple[float, Sequence[Lag]]], started: dict[int, float]
) -> dict[int, str]:
    """What is decided at the last of these looks."""
    watch, reasons = Watch(), dict[int, str]()
    for now, current in looks:
        watch = look(watch, current, now)
        reasons = stalled(watch, current, started, now, STALL)
    return reasons


def test_a_worker_that_stands_still_with_lag_is_killed() -> None:
    still = [(float(now), [lag(5, 9)]) for now in range(0, 31, 10)]
    assert set(judged(still, {0: -100.0})) == {0}
    assert "no position moved for 30 s" in judged(still, {0: -100.0})[0]
    assert judged(still[:-1], {0: -100.0}) == {}


def test_a_worker_that_moves_lives_however_large_its_lag() -> None:
    moving = [(float(now), [lag(now, 10_000_000)]) for now in range(0, 300, 10)]
    assert judged(moving, {0: -100.0}) == {}


def test_a_worker_without_lag_lives_however_long_it_stands() -> None:
    idle = [(float(now), [lag(9, 9)]) for now in range(0, 300, 10)]
    assert judged(idle, {0: -100.0}) == {}


def test_lag_that_comes_after_a_long_rest_gives_the_worker_its_time() -> None:
    looks = [(0.0, [lag(9, 9)]), (1000.0, [lag(9, 10)]), (1020.0, [lag(9, 10)])]
    assert judged(looks, {0: -100.0}) == {}
    assert set(judged([*looks, (1031.0, [lag(9, 10)])], {0: -100.0})) == {0}


def test_a_worker_gets_time_from_its_start_on() -> None:
    looks = [(float(now), [lag(5, 9)]) for now in range(0, 60, 10)]
    assert judged(looks, {0: 25.0}) == {}
    assert set(judged([*looks, (60.0, [lag(5, 9)])], {0: 25.0})) == {0}


def test_only_the_worker_that_stands_is_killed() -> None:
    looks = [(float(now), [lag(5, 9, 0, 0), lag(now, 1000, 1, 1)]) for now in range(0, 60, 10)]
    assert set(judged(looks, {0: -100.0, 1: -100.0})) == {0}


def test_one_partition_may_wait_while_its_worker_works_off_another_but_not_for_ever() -> None:
    def both(now: int) -> tuple[float, list[Lag]]:
        return float(now), [lag(5, 9, 0, 0), lag(now, 10_000, 0, 1)]

    assert judged([both(now) for now in range(0, 110, 10)], {0: -100.0}) == {}
    reasons = judged([both(now) for now in range(0, 130, 10)], {0: -100.0})
    assert reasons == {0: "sales.order.v1[0] stood at 5 for 120 s with lag"}


def test_a_worker_that_was_assigned_nothing_while_partitions_lack_an_owner_is_killed() -> None:
    looks = [(float(now), [lag(5, 9, None, 0), lag(now, 1000, 1, 1)]) for now in range(0, 60, 10)]
    reasons = judged(looks, {0: -100.0, 1: -100.0})
    assert set(reasons) == {0}
    assert "assigned nothing" in reasons[0]


def test_a_worker_beyond_the_number_of_partitions_is_left_in_peace() -> None:
    looks = [(float(now), [lag(now, 1000, 1, 1)]) for now in range(0, 300, 10)]
    assert judged(looks, {0: -100.0, 1: -100.0}) == {}


def test_partitions_that_nobody_claims_though_all_have_work_end_in_a_fresh_start_of_all() -> None:
    looks = [
        (float(now), [lag(5, 9, None, 0), lag(now, 1000, 0, 1), lag(now, 1000, 1, 2)])
        for now in range(0, 130, 10)
    ]
    assert judged(looks[:-1], {0: -100.0, 1: -100.0}) == {}
    assert set(judged(looks, {0: -100.0, 1: -100.0})) == {0, 1}


def test_a_change_of_owner_begins_the_time_anew() -> None:
    looks = [(0.0, [lag(5, 9, 1)]), (29.0, [lag(5, 9, 0)]), (58.0, [lag(5, 9, 0)])]
    assert judged(looks, {0: -100.0}) == {}
