"""One writer's connection: staging tables ready, transactions retried where that may help."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import psycopg
import stamina
import structlog
from psycopg import errors

from sinks.database import connect, end_stuck_writers
from sinks.staging import Staging

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

#: What a later try may mend: deadlocks, serialization failures, late locks, a lost server.
PASSING = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.LockNotAvailable,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)

#: psycopg counts these with the others, but they come from what is written: a key that no index
#: can hold fails in the same way for ever.
LASTING = (
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
    errors.TooManyArguments,
    errors.TooManyColumns,
)


def may_pass(error: Exception) -> bool:
    """Whether a later try of the same work may succeed."""
    return isinstance(error, PASSING) and not isinstance(error, LASTING)


#: Below the rebalance timeout of 30 s: a worker that cannot commit leaves, and comes back.
PATIENCE_S = 20.0


class Session:
    """A connection that is opened when first needed and opened again after it was lost.

    Not to be shared between threads.
    """

    def __init__(self, url: str, *, name: str, tables: Sequence[Staging] = ()) -> None:
        self._url = url
        self._name = name
        self._tables = tables
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        """Run ``work`` in one transaction and return what it returned.

        ``work`` may run several times and must have no effect outside the transaction.

        Raises:
            psycopg.OperationalError: still failing after `PATIENCE_S` seconds of growing pauses.
            Exception: whatever else ``work`` raised; the transaction is rolled back.
        """
        for attempt in stamina.retry_context(
            on=may_pass, attempts=None, timeout=PATIENCE_S, wait_initial=0.05, wait_max=3.0
        ):
            with attempt:
                connection = self._open()
                try:
                    with connection.transaction():
                        return work(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    if connection.closed or connection.broken:
                        self.close()
                    elif isinstance(error, errors.LockNotAvailable):
                        end_stuck_writers(connection)
                    log.info("transaction_tried_again", name=self._name, error=str(error).strip())
                    raise
        raise AssertionError("unreachable: the retries either return or raise")

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            connection = connect(self._url, name=self._name)
            connection.autocommit = True
            # A batch's rows are always few beside the tables': look each up by its key. The planner
            # knows nothing of a temporary table and would sooner or later scan the other one whole.
            connection.execute("SET enable_hashjoin = off")
            connection.execute("SET enable_mergejoin = off")
            for table in self._tables:
                table.create(connection)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ThreadSessions:
    """A `Session` for each thread that asks: so many connections as threads, however many askers.

    The arguments are those of `Session`.
    """

    def __init__(self, url: str, *, name: str, tables: Sequence[Staging] = ()) -> None:
        self._make = partial(Session, url, name=name, tables=tables)
        self._local = threading.local()

    def run(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        """Run ``work`` in one transaction of this thread's session, see `Session.run`."""
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._make()
        return session.run(work)
