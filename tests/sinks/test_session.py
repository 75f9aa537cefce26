"""A session's transactions are tried again where that may help, and only there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import errors

from sinks.session import Session
from sinks.staging import staging

Connection = psycopg.Connection[Any]

STAGE = staging("of_tests", "key text, number int4")


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    opened = Session(database_url, name="headrace-tests-session", tables=[STAGE])
    yield opened
    opened.close()


def test_two_transactions_that_lock_each_other_out_both_succeed(
    database_url: str, connection: Connection
) -> None:
    connection.execute("INSERT INTO stage_chances VALUES ('a', 0), ('b', 0)")
    both_have_one = threading.Barrier(2)
    tries: list[str] = []

    def add(first: str, second: str) -> None:
        session = Session(database_url, name=f"headrace-tests-{first}")

        def work(transaction: Connection) -> None:
            tries.append(first)
            change = "UPDATE stage_chances SET chance = chance + 1 WHERE stage = %s"
            transaction.execute(change, (first,))
            if len(tries) <= 2:
                both_have_one.wait(timeout=5)
            transaction.execute(change, (second,))

        session.run(work)
        session.close()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(add, "a", "b"), threads.submit(add, "b", "a")]:
            done.result()
    assert len(tries) == 3
    assert connection.execute("SELECT chance FROM stage_chances").fetchall() == [(2,), (2,)]


def test_a_lost_connection_is_opened_again_with_its_staging_tables(
    session: Session, connection: Connection
) -> None:
    tries: list[int] = []

    def work(transaction: Connection) -> int:
        tries.append(transaction.info.backend_pid)
        STAGE.fill(transaction, [("a", 1)])
        if len(tries) == 1:
            connection.execute("SELECT pg_terminate_backend(%s)", (tries[0],))
        row = transaction.execute("SELECT sum(number) FROM stage_of_tests").fetchone()
        assert row is not None
        return int(row[0])

    assert session.run(work) == 1
    assert len(set(tries)) == 2


@pytest.mark.parametrize(
    "passing",
    [errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable],
)
def test_a_failure_that_passes_is_tried_again_from_the_start(
    session: Session, connection: Connection, passing: type[Exception]
) -> None:
    tries: list[int] = []

    def work(transaction: Connection) -> str:
        transaction.execute("INSERT INTO stage_chances VALUES ('a', 0)")
        tries.append(1)
        if len(tries) < 3:
            raise passing("for a moment")
        return "done"

    assert session.run(work) == "done"
    assert len(tries) == 3
    assert connection.execute("SELECT count(*) FROM stage_chances").fetchone() == (1,)


def test_a_fault_of_the_data_is_raised_at_once_and_leaves_nothing(
    session: Session, connection: Connection
) -> None:
    tries: list[int] = []

    def work(transaction: Connection) -> None:
        tries.append(1)
        transaction.execute("INSERT INTO stage_chances VALUES ('a', 0)")
        transaction.execute("INSERT INTO stage_chances VALUES ('a', 0)")

    with pytest.raises(errors.UniqueViolation):
        session.run(work)
    assert len(tries) == 1
    assert connection.execute("SELECT count(*) FROM stage_chances").fetchone() == (0,)


def test_what_no_later_try_can_mend_is_raised_at_once(session: Session) -> None:
    tries: list[int] = []

    def work(transaction: Connection) -> None:
        tries.append(1)
        # An index holds keys of up to 2.7 kB; random ones cannot be compressed.
        transaction.execute(
            "INSERT INTO stage_chances SELECT string_agg(md5(n::text), ''), 0"
            " FROM generate_series(1, 500) AS n"
        )

    with pytest.raises(errors.ProgramLimitExceeded):
        session.run(work)
    assert len(tries) == 1


def test_staged_rows_are_gone_with_their_transaction(session: Session) -> None:
    session.run(lambda transaction: STAGE.fill(transaction, [("a", 1), ("b", 2)]))
    assert session.run(
        lambda transaction: transaction.execute("SELECT count(*) FROM stage_of_tests").fetchone()
    ) == (0,)
