"""A ledger without Kafka: takes batches of records as a worker does, and answers as a hub does."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import count, groupby
from typing import Any, TypeVar

import psycopg

from hub.policy import Policy
from ops.answers import customers_answer, demand_answer, plain, receivables_answer
from sinks import facts
from sinks.changes import Change
from sinks.database import connect
from sinks.facts import FACTS
from sinks.session import Session
from sinks.tables import FACT_DOCUMENTS
from streams.catalogue import streams
from streams.customers.reading import read_customers
from streams.demand.reading import read_demand
from streams.ingest import Ingest, Prepared, Span, prepare
from streams.receivables.reading import read_receivables
from tests.oracle.answers import Answers
from tests.oracle.generate import BASE_CURRENCY, Event
from tests.oracle.log import Record

POLICY = Policy()

Row = tuple[Any, ...]
Result = TypeVar("Result")


class Ledger:
    """One writer of a database: applies records, each batch in one transaction.

    Several of them may write to one database at once, each in a thread of its own.
    """

    def __init__(self, url: str, policy: Policy = POLICY) -> None:
        self.url = url
        self._policy = policy
        all_streams = streams(policy)
        self._ingest = Ingest(all_streams, None)
        tables = [FACTS, *(table for stream in all_streams for table in stream.staging)]
        self._session = Session(url, name="headrace-tests", tables=tables)
        self._offsets = count()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def commit(self, records: Sequence[Record]) -> None:
        """Apply records of one topic in one transaction, as a worker applies a batch."""
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[record.partition].append(record)
        topic = records[0].topic
        spans = [
            Span(topic, partition, 0, found[0].offset, found[-1].offset + 1, found)
            for partition, found in by_partition.items()
        ]
        prepared = prepare(topic, spans)
        self._session.run(lambda connection: self._ingest.commit(connection, prepared))

    def apply(self, *events: Event, before_commit: Callable[[], None] = lambda: None) -> None:
        """Apply events one after the other; those of one topic that follow each other at once.

        Args:
            before_commit: called in each transaction after its effects, before they are committed.
        """

        def work(connection: psycopg.Connection[Any], prepared: Prepared) -> None:
            self._ingest.commit(connection, prepared)
            before_commit()

        for topic, found in groupby(events, key=lambda event: event.topic):
            records = [
                Record(topic, 0, next(self._offsets), event.key, event.value) for event in found
            ]
            span = Span(topic, 0, 0, records[0].offset, records[-1].offset + 1, records)
            self._session.run(partial(work, prepared=prepare(topic, [span])))

    def run(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        """Run ``work(connection)`` in a transaction of this writer."""
        return self._session.run(work)

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own for questions."""
        connection = connect(self.url, name="headrace-tests-reading")
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Return what a query finds, as the database stands now."""
        with self.reading() as connection:
            return connection.execute(query, parameters or None).fetchall()

    def answers(self, as_of: date, *receivables_as_of: date) -> Answers:
        """Answer everything that the oracle can check."""
        with self.reading() as connection:
            customers = read_customers(
                connection, as_of=as_of, policy=self._policy, base_currency=BASE_CURRENCY
            )
            asked = partial(
                read_receivables,
                connection,
                limits=self._policy.ageing_limits,
                base_currency=BASE_CURRENCY,
            )
            letters = connection.execute(
                "SELECT document, place, topic, partition, position, code, reason FROM dead_letters"
            ).fetchall()
            names = ("document", "place", "topic", "partition", "position", "code", "reason")
            return Answers(
                customers=customers_answer(customers, BASE_CURRENCY),
                demand=demand_answer(
                    as_of, read_demand(connection, as_of=as_of, policy=self._policy)
                ),
                receivables=tuple(
                    receivables_answer(asked(as_of=day)) for day in (as_of, *receivables_as_of)
                ),
                documents={
                    document: [
                        plain(change.document) for change in self._facts(connection, document)
                    ]
                    for document in FACT_DOCUMENTS
                },
                dead_letters=[dict(zip(names, letter, strict=True)) for letter in letters],
            )

    def _facts(self, connection: psycopg.Connection[Any], document: str) -> list[Change]:
        with connection.transaction():
            return list(facts.read(connection, document))


def batches(records: Iterable[Record], rng: random.Random, most: int = 60) -> list[list[Record]]:
    """Cut a log into batches of one topic each, in an order in which a worker may take them.

    Topics come in any order, partitions of a topic too; within a partition the order is kept.
    """
    queues: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        queues[record.topic, record.partition].append(record)
    cut: list[list[Record]] = []
    while queues:
        topic = rng.choice(sorted(queues))[0]
        batch: list[Record] = []
        for place in sorted(place for place in queues if place[0] == topic):
            taken = rng.randint(0, most)
            batch += queues[place][:taken]
            queues[place] = queues[place][taken:]
            if not queues[place]:
                del queues[place]
        if batch:
            cut.append(batch)
    return cut
