"""Asks the standing questions of a hub's database, each in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any

import psycopg

from hub.clock import business_date
from hub.kafka import Cluster, KafkaError, TopicMissing
from hub.policy import load_policy
from hub.settings import Settings
from ops.answers import (
    Answer,
    customers_answer,
    demand_answer,
    documents_answer,
    nameless_ids,
    receivables_answer,
    status_answer,
    with_members,
)
from ops.lag import read_backlog
from ops.status import read_status
from schemas.catalogue import TOPICS
from sinks import facts
from sinks.database import connect, engine
from streams.catalogue import streams
from streams.customers.reading import read_customers
from streams.demand.reading import read_demand
from streams.receivables.reading import read_receivables


@contextmanager
def snapshot(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection for reading only, to the database as it stands now."""
    connection = connect(url, name="headrace-show")
    try:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # A reader may compute for a while; it holds no rows that a worker waits for.
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        yield connection
    finally:
        connection.close()


def ask_customers(url: str, settings: Settings, as_of: date | None) -> Answer:
    """Who the customers are, with tier and revenue."""
    currency = settings.company.base_currency
    with snapshot(url) as connection:
        rows = read_customers(
            connection,
            as_of=as_of or business_date(settings),
            policy=load_policy(settings.policy),
            base_currency=currency,
            source_order=_source_order(settings),
        )
        return customers_answer(rows, currency)


def ask_demand(url: str, settings: Settings, as_of: date | None) -> Answer:
    """What production has to expect per product and month."""
    day = as_of or business_date(settings)
    with snapshot(url) as connection:
        rows = read_demand(connection, as_of=day, policy=load_policy(settings.policy))
        return demand_answer(day, rows)


def ask_receivables(url: str, settings: Settings, as_of: date | None) -> Answer:
    """What customers owe, by age."""
    with snapshot(url) as connection:
        report = read_receivables(
            connection,
            as_of=as_of or business_date(settings),
            limits=load_policy(settings.policy).ageing_limits,
            base_currency=settings.company.base_currency,
            source_order=_source_order(settings),
        )
        answer = receivables_answer(report)
        nameless = nameless_ids(answer)
        return with_members(answer, _members(connection, nameless)) if nameless else answer


def _members(
    connection: psycopg.Connection[Any], customer_ids: list[str]
) -> dict[str, list[tuple[str, str]]]:
    """The records, as (source, id), that each of these customers of the hub consists of."""
    rows = connection.execute(
        """
        SELECT customer_id::text, source, id FROM reporting.customer_records
        WHERE customer_id = ANY(%s::uuid[]) ORDER BY source, id
        """,
        (customer_ids,),
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for customer, source, id in rows:
        found.setdefault(customer, []).append((source, id))
    return found


def ask_documents(
    url: str, document: str, limit: int | None, keys: Sequence[str] | None = None
) -> Answer:
    """The facts of one type by key (``source|id``), at most ``limit``; only ``keys`` if given."""
    with snapshot(url) as connection:
        changes = islice(facts.read(connection, document, keys), limit)
        return documents_answer(document, (change.document for change in changes))


def ask_status(url: str, settings: Settings, cluster: Cluster | None) -> Answer:
    """What the hub holds; without a cluster nobody knows how far the streams are behind."""
    policy = load_policy(settings.policy)
    database = engine(url)
    try:
        lags = None
        if cluster is not None:
            try:
                lags = read_backlog(database, cluster).of_topics()
            except (KafkaError, TopicMissing):
                lags = None
        status = read_status(
            database,
            as_of=business_date(settings),
            sources=_source_order(settings),
            streams={stream.name: stream.documents for stream in streams(policy)},
            lag_of_topics=lags,
            topic_of={topic.document: name for name, topic in TOPICS.items()},
            silent_factor=policy.silent_source_gap_factor,
        )
        return status_answer(status)
    finally:
        database.dispose()


def _source_order(settings: Settings) -> list[str]:
    """The ranking of sources for a customer's fields: their order in the configuration."""
    return [source.name for source in settings.sources]
