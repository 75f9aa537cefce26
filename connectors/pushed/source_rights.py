"""The right to settle versions of sources, held while a batch of their documents is published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from connectors.door import Connection
from sinks import cursors, idempotency
from sinks.database import connect


class SourceRights:
    """Takes and leaves sources on a connection of its own, which is opened again once it is lost.

    Not to be shared between threads.
    """

    def __init__(self, url: str, wait_s: float) -> None:
        self._url = url
        self._wait_s = wait_s
        self._connection: Connection | None = None
        self._owner = 0

    def owner(self) -> int:
        """The number of this process, which others find alive as long as it runs.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        self._open()
        return self._owner

    @contextmanager
    def of(self, sources: Collection[str]) -> Iterator[Callable[[], None]]:
        """Hold the right to these sources; gives a function that raises if it was lost.

        Raises:
            SourceBusy: another process keeps one of them.
            psycopg.OperationalError: the database is away.
        """
        connection = self._open()
        taken: list[str] = []
        try:
            for source in sorted(sources):
                cursors.take_source(connection, source, self._wait_s)
                taken.append(source)
            yield lambda: _alive(connection)
        finally:
            if not connection.closed:
                for source in taken:
                    cursors.leave_source(connection, source)

    def close(self) -> None:
        """Close the connection, and with it leave everything."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, name="headrace api rights")
            self._connection.autocommit = True
            self._owner = idempotency.become_owner(self._connection)
        return self._connection


def _alive(connection: Connection) -> None:
    connection.execute("SELECT 1")
