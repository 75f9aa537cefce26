"""Rebuilds what the streams keep: by the same rules over the facts, or all from the topics."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any

import psycopg

from hub.garbage import collecting_rarely
from hub.policy import Policy
from sinks import dead_letters, facts, outbox
from sinks.changes import Change, Stream
from sinks.database import connect
from sinks.projection import PROJECTED
from sinks.tables import FACT_DOCUMENTS
from streams.catalogue import streams

BATCH = 2_000

#: The tables of each stream, by its name.
TABLES = {stream.name: stream.tables for stream in sorted(streams(Policy()), key=lambda s: s.name)}

Progress = Callable[[str, str, int], None]


@collecting_rarely()
def rebuild(
    url: str,
    policy: Policy,
    names: Sequence[str] | None = None,
    on_progress: Progress = lambda stream, document, number: None,
) -> dict[str, int]:
    """Rebuild streams from the facts, each in one transaction; workers wait meanwhile.

    Args:
        names: the streams; all where None.
        on_progress: told (stream, type of document, documents so far).

    Returns:
        The number of documents that each stream took.

    Raises:
        ValueError: there is no stream of a name.
    """
    wanted = list(TABLES) if names is None else list(names)
    if unknown := sorted(set(wanted) - TABLES.keys()):
        raise ValueError(f"no stream {', '.join(unknown)}; there are {', '.join(TABLES)}")
    chosen = [stream for stream in streams(policy) if stream.name in wanted]
    with _connection(url) as connection, _connection(url) as reader:
        for table in (table for stream in chosen for table in stream.staging):
            table.create(connection)
        rebuilder = _Rebuilder(connection, reader, on_progress)
        taken = {stream.name: rebuilder.rebuild(stream) for stream in chosen}
        rebuilder.project(PROJECTED)
    return taken


class _Rebuilder:
    """Rebuilds one stream after the other.

    The columns beside the facts' bodies are worked out anew, too, once: on the way where a stream
    reads the bodies, else by `project`.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        reader: psycopg.Connection[Any],
        on_progress: Progress,
    ) -> None:
        self._connection = connection
        # Facts are read and decoded while the other connection waits for the database.
        self._reader = reader
        self._on_progress = on_progress
        self._to_project = set(PROJECTED)

    def project(self, documents: frozenset[str]) -> None:
        """Work the columns of these types of documents out, unless that was done."""
        for document in sorted(self._to_project & documents):
            with self._connection.transaction(), self._reader.transaction():
                self._lock(document)
                with closing(_ahead(_chunks(facts.read(self._reader, document)))) as chunks:
                    for changes in chunks:
                        facts.project(self._connection, document, changes)
            self._to_project.remove(document)

    def rebuild(self, stream: Stream) -> int:
        """Rebuild a stream in one transaction; return how many documents it took."""
        self.project(stream.customers_of)
        connection, taken = self._connection, 0
        # Customers before what refers to them, invoices before payments: any order gives the same,
        # this one leaves less waiting.
        documents = [document for document in FACT_DOCUMENTS if document in stream.documents]
        with connection.transaction(), self._reader.transaction():
            for document in documents:
                self._lock(document)
            connection.execute(f"TRUNCATE {', '.join(stream.tables)}")
            outbox.mark_published(connection, stream.views)
            connection.execute(
                "DELETE FROM dead_letters WHERE stage = %s", (f"stream:{stream.name}",)
            )
            marks = outbox.Gathering(connection)
            for document in documents:
                taken += self._take(stream, document, marks)
            stream.finish(connection)
            marks.write()
        self._to_project -= stream.documents
        return taken

    def _take(self, stream: Stream, document: str, gathering: outbox.Gathering) -> int:
        connection, number = self._connection, 0
        with closing(_ahead(_chunks(self._changes(stream, document)))) as chunks:
            for changes in chunks:
                if document in self._to_project:
                    facts.project(connection, document, changes)
                letters = stream.apply(connection, document, changes, gathering.marks)
                dead_letters.add(connection, letters)
                gathering.write_many()
                for table in stream.staging:
                    if not table.gathers:
                        table.empty(connection)
                number += len(changes)
                self._on_progress(stream.name, document, number)
        return number

    def _changes(self, stream: Stream, document: str) -> Iterator[Change]:
        if document in stream.customers_of:
            return facts.read_customers(self._reader, document)
        return facts.read(self._reader, document, first=True)

    def _lock(self, document: str) -> None:
        """Keep writers out until the transaction ends; facts are what they lock first.

        What is read then is still the newest version when its columns are written.
        """
        self._connection.execute(f"LOCK TABLE fact_{document} IN SHARE ROW EXCLUSIVE MODE")


def _chunks(changes: Iterable[Change]) -> Iterator[list[Change]]:
    changes = iter(changes)
    while chunk := list(islice(changes, BATCH)):
        yield chunk


def _ahead(chunks: Iterator[list[Change]]) -> Generator[list[Change], None, None]:
    """Yield the chunks; while one of them is worked on, a thread makes the next."""
    none: list[Change] = []
    with ThreadPoolExecutor(1, thread_name_prefix="read-facts") as reading:
        coming = reading.submit(next, chunks, none)
        while chunk := coming.result():
            coming = reading.submit(next, chunks, none)
            yield chunk


def forget_everything(url: str, policy: Policy) -> None:
    """Empty facts and streams and forget all positions: workers read the topics from the start.

    What connectors remember of their sources stays, since the topics hold what they published. The
    relay takes back every view that it published, and publishes what the topics bring.
    """
    tables = [
        *(f"fact_{document}" for document in FACT_DOCUMENTS),
        *(table for tables in TABLES.values() for table in tables),
        "stream_offsets",
        "source_freshness",
    ]
    with _connection(url) as connection, connection.transaction():
        for document in FACT_DOCUMENTS:
            connection.execute(f"LOCK TABLE fact_{document} IN ACCESS EXCLUSIVE MODE")
        connection.execute(f"TRUNCATE {', '.join(tables)}")
        # What the topics no longer bring has to go from the views, too. The marks that wait stay:
        # a relay that died may have published behind them what it could not note.
        outbox.mark_published(
            connection, {topic: key for one in streams(policy) for topic, key in one.views.items()}
        )
        connection.execute("DELETE FROM dead_letters WHERE stage NOT LIKE 'connector:%%'", ())


def accept_recreated(url: str, topic: str) -> int:
    """Forget the positions of a topic that was created again; return how many partitions it had."""
    with connect(url, name="headrace-rebuild") as connection:
        return connection.execute("DELETE FROM stream_offsets WHERE topic = %s", (topic,)).rowcount


def _connection(url: str) -> psycopg.Connection[Any]:
    connection = connect(url, name="headrace-rebuild")
    connection.autocommit = True
    connection.execute("SET lock_timeout = '60s'")
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    return connection
