"""Rebuilds what the streams keep: by the same rules over the facts, or all from the topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg

from hub.garbage import collecting_rarely
from hub.policy import Policy
from sinks import dead_letters, facts, outbox
from sinks.changes import Change, Marks, Stream
from sinks.database import connect
from sinks.facts import FACTS
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
    taken = {}
    with _connection(url, policy) as connection:
        _project_facts(connection)
        for stream in streams(policy):
            if stream.name in wanted:
                taken[stream.name] = _rebuild_one(connection, stream, on_progress)
    return taken


def _project_facts(connection: psycopg.Connection[Any]) -> None:
    """Work the columns beside the facts' bodies out anew, whichever streams are rebuilt on them."""
    for document in sorted(PROJECTED):
        with connection.transaction():
            # What is read here must still be the newest version when it is written.
            connection.execute(f"LOCK TABLE fact_{document} IN SHARE ROW EXCLUSIVE MODE")
            for changes in _chunks(facts.read(connection, document)):
                facts.project(connection, document, changes)


def _rebuild_one(connection: psycopg.Connection[Any], stream: Stream, on_progress: Progress) -> int:
    taken = 0
    # Customers before what refers to them, invoices before payments: any order gives the same,
    # this one leaves less waiting.
    documents = [document for document in FACT_DOCUMENTS if document in stream.documents]
    with connection.transaction():
        # Writers lock facts first: once this is granted none of them is on its way.
        for document in documents:
            connection.execute(f"LOCK TABLE fact_{document} IN SHARE MODE")
        connection.execute(f"TRUNCATE {', '.join(stream.tables)}")
        outbox.mark_published(connection, stream.views)
        connection.execute("DELETE FROM dead_letters WHERE stage = %s", (f"stream:{stream.name}",))
        for document in documents:
            number = 0
            for changes in _chunks(facts.read(connection, document)):
                marks = Marks()
                fresh = [change._replace(first=True) for change in changes]
                letters = stream.apply(connection, document, fresh, marks)
                dead_letters.add(connection, letters)
                outbox.write(connection, marks)
                for table in stream.staging:
                    table.empty(connection)
                number += len(changes)
                on_progress(stream.name, document, number)
            taken += number
    return taken


def _chunks(changes: Iterable[Change]) -> Iterator[list[Change]]:
    changes = iter(changes)
    while chunk := list(islice(changes, BATCH)):
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
    with _connection(url, policy) as connection, connection.transaction():
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


def _connection(url: str, policy: Policy) -> psycopg.Connection[Any]:
    connection = connect(url, name="headrace-rebuild")
    connection.autocommit = True
    connection.execute("SET lock_timeout = '60s'")
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    for table in (FACTS, *(table for stream in streams(policy) for table in stream.staging)):
        table.create(connection)
    return connection
