"""Positions move with the effects, belong to one worker, and never skip what was not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
import pytest

from sinks.database import connect
from sinks.positions import (
    CAUTION_SPAN,
    DEATHS_BEFORE_CAUTION,
    Fenced,
    LogState,
    Partition,
    PositionError,
    PositionGap,
    Positions,
)

Connection = psycopg.Connection[Any]
ONE: Partition = ("finance.invoice.v1", 0)
OTHER: Partition = ("finance.invoice.v1", 1)


class Log:
    """What the broker says of every partition."""

    def __init__(self) -> None:
        self.state = LogState("id-1", 0, 100)

    def __call__(self, partitions: Iterable[Partition]) -> Mapping[Partition, LogState]:
        return dict.fromkeys(partitions, self.state)


@pytest.fixture
def log() -> Log:
    return Log()


def worker(url: str, log: Log, name: str = "0") -> Positions:
    return Positions(lambda: connect(url), log, "headrace", name)


def advance(connection: Connection, positions: Positions, start: int, end: int) -> int:
    with connection.transaction():
        return positions.advance(
            connection, ONE, epoch=positions.claims[ONE].epoch, start=start, end=end
        )


def position(connection: Connection) -> int:
    row = connection.execute(
        "SELECT position FROM stream_offsets WHERE topic = %s AND partition = %s", ONE
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_new_group_begins_at_the_start_of_what_the_log_still_holds(
    database_url: str, log: Log
) -> None:
    log.state = LogState("id-1", 17, 100)
    claims = worker(database_url, log).claim([ONE, OTHER])
    assert {partition: claim.position for partition, claim in claims.items()} == {
        ONE: 17,
        OTHER: 17,
    }


def test_the_next_worker_goes_on_where_the_last_transaction_ended(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    assert advance(connection, first, 0, 40) == 0
    assert advance(connection, first, 40, 55) == 40
    assert worker(database_url, log, "1").claim([ONE])[ONE].position == 55


def test_a_transaction_that_is_rolled_back_moves_no_position(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    with pytest.raises(RuntimeError, match="the effects failed"):
        with connection.transaction():
            first.advance(connection, ONE, epoch=first.claims[ONE].epoch, start=0, end=40)
            raise RuntimeError("the effects failed")
    assert position(connection) == 0


def test_a_batch_that_comes_again_is_told_what_of_it_is_done(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    advance(connection, first, 0, 40)
    assert advance(connection, first, 0, 30) == 40
    assert position(connection) == 40


def test_a_worker_that_lost_its_partition_is_fenced_and_moves_nothing(
    database_url: str, connection: Connection, log: Log
) -> None:
    zombie, successor = worker(database_url, log), worker(database_url, log, "1")
    zombie.claim([ONE])
    successor.claim([ONE])
    with pytest.raises(Fenced, match="belongs to another worker now"):
        advance(connection, zombie, 0, 40)
    assert position(connection) == 0
    assert advance(connection, successor, 0, 40) == 0


def test_a_batch_beyond_the_position_is_a_gap_and_moves_nothing(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    with pytest.raises(PositionGap, match="begins at 7, but only what is before 0 was committed"):
        advance(connection, first, 7, 40)
    assert position(connection) == 0


def test_a_recreated_topic_stops_the_worker_and_says_what_to_do(
    database_url: str, log: Log
) -> None:
    worker(database_url, log).claim([ONE])
    log.state = LogState("id-2", 0, 100)
    with pytest.raises(PositionError, match=r"--accept-recreated finance\.invoice\.v1"):
        worker(database_url, log).claim([ONE])


@pytest.mark.parametrize("state", [LogState("id-1", 0, 39), LogState("id-1", 41, 100)])
def test_a_position_outside_the_log_stops_the_worker_and_says_what_to_do(
    database_url: str, connection: Connection, log: Log, state: LogState
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    advance(connection, first, 0, 40)
    log.state = state
    with pytest.raises(PositionError, match="was read up to 40, but its log now holds"):
        worker(database_url, log).claim([ONE])


def test_a_refused_claim_takes_no_partition_from_its_owner(
    database_url: str, connection: Connection, log: Log
) -> None:
    owner = worker(database_url, log)
    owner.claim([ONE])
    log.state = LogState("id-2", 0, 100)
    with pytest.raises(PositionError):
        worker(database_url, log, "1").claim([ONE])
    assert advance(connection, owner, 0, 10) == 0


def test_a_worker_that_died_twice_at_one_place_is_followed_by_one_that_takes_care(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    advance(connection, first, 0, 40)
    for deaths in range(DEATHS_BEFORE_CAUTION + 1):
        successor = worker(database_url, log)
        successor.claim([ONE])
        assert (ONE in successor.cautions) == (deaths >= DEATHS_BEFORE_CAUTION)
    # What lies behind the end of the log was never in work.
    assert successor.cautions[ONE].until == 100
    log.state = LogState("id-1", 0, 10 * CAUTION_SPAN)
    successor.claim([ONE])
    assert successor.cautions[ONE].until == 40 + CAUTION_SPAN


def test_a_worker_with_nothing_left_to_read_did_not_die_of_a_record(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    advance(connection, first, 0, 100)
    for _ in range(DEATHS_BEFORE_CAUTION + 2):
        first.claim([ONE])
        assert not first.cautions


def test_a_zombie_marks_nothing(database_url: str, connection: Connection, log: Log) -> None:
    zombie, successor = worker(database_url, log), worker(database_url, log, "1")
    zombie.claim([ONE])
    epoch = zombie.claims[ONE].epoch
    successor.claim([ONE])
    with pytest.raises(Fenced):
        zombie.mark(connection, ONE, epoch=epoch, offset=12)
    assert connection.execute("SELECT marked_position FROM stream_offsets").fetchall() == [(None,)]


def test_a_topic_that_is_recreated_while_it_is_read_is_noticed(database_url: str, log: Log) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    first.check_topics()
    log.state = LogState("id-2", 0, 0)
    with pytest.raises(PositionError, match="deleted and created again"):
        first.check_topics()


def test_a_worker_that_got_on_or_left_in_order_did_not_die_there(
    database_url: str, connection: Connection, log: Log
) -> None:
    for step in range(6):
        successor = worker(database_url, log)
        successor.claim([ONE])
        if step % 2:
            advance(connection, successor, step - 1, step + 1)
        else:
            successor.release([ONE])
        assert not successor.cautions


def test_the_record_in_work_at_a_death_is_known_to_the_next_worker(
    database_url: str, connection: Connection, log: Log
) -> None:
    first = worker(database_url, log)
    first.claim([ONE])
    first.mark(connection, ONE, epoch=first.claims[ONE].epoch, offset=12)
    first.mark(connection, ONE, epoch=first.claims[ONE].epoch, offset=12)
    second = worker(database_url, log)
    second.claim([ONE])
    assert (second.cautions[ONE].marked, second.cautions[ONE].tries) == (12, 2)
    second.mark(connection, ONE, epoch=second.claims[ONE].epoch, offset=13)
    third = worker(database_url, log)
    third.claim([ONE])
    assert (third.cautions[ONE].marked, third.cautions[ONE].tries) == (13, 1)
    third.unmark(connection, ONE)
    last = worker(database_url, log)
    last.claim([ONE])
    assert not last.cautions


def test_a_worker_that_left_for_the_database_did_not_die_of_what_it_had_in_work(
    database_url: str, connection: Connection, log: Log
) -> None:
    for _ in range(DEATHS_BEFORE_CAUTION + 2):
        leaving = worker(database_url, log)
        leaving.claim([ONE])
        assert not leaving.cautions
        leaving.leave_untried()


def test_a_try_that_the_database_cut_short_does_not_count_against_the_record(
    database_url: str, connection: Connection, log: Log
) -> None:
    died = worker(database_url, log)
    died.claim([ONE])
    died.mark(connection, ONE, epoch=died.claims[ONE].epoch, offset=12)
    for _ in range(3):
        careful = worker(database_url, log)
        careful.claim([ONE])
        assert (careful.cautions[ONE].marked, careful.cautions[ONE].tries) == (12, 1)
        careful.mark(connection, ONE, epoch=careful.claims[ONE].epoch, offset=12)
        careful.leave_untried()


def test_a_released_partition_of_another_owner_stays_as_it_is(
    database_url: str, connection: Connection, log: Log
) -> None:
    zombie, successor = worker(database_url, log), worker(database_url, log, "1")
    zombie.claim([ONE])
    successor.claim([ONE])
    zombie.release([ONE])
    assert connection.execute("SELECT clean FROM stream_offsets").fetchall() == [(False,)]
    successor.release([ONE])
    assert connection.execute("SELECT clean FROM stream_offsets").fetchall() == [(True,)]
