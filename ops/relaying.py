"""The relay process: publishes changed views for as long as the hub runs."""

from __future__ import annotations

import threading

import psycopg

from hub.kafka import KafkaError, close_producer
from hub.log import get_logger
from hub.policy import Policy
from ops.stack import Addresses
from sinks.database import connect
from sinks.relay import Relay, RelayTaken
from streams.customers.names import publish_ranks
from streams.views import view_readers

log = get_logger(__name__)

_IDLE_SECONDS = 0.05
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 3.0
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, KafkaError, RelayTaken)


def relay_changes(
    addresses: Addresses, policy: Policy, source_order: list[str], stop: threading.Event
) -> None:
    """Publish from the outbox until ``stop`` is set; servers that are away are waited for."""
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            _relay_while_connected(addresses, policy, source_order, stop)
        except _PASSING as error:
            log.warning("relay_interrupted", error=str(error).strip(), pause=pause)
            stop.wait(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, 2 * pause)
        else:
            pause = _FIRST_PAUSE_SECONDS


def _relay_while_connected(
    addresses: Addresses, policy: Policy, source_order: list[str], stop: threading.Event
) -> None:
    connection = connect(addresses.database_url, name="headrace-relay")
    try:
        connection.autocommit = True
        # The views of a batch are encoded between two statements of its transaction, which holds no
        # row that a worker wants. The broker is waited for outside of it.
        connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        producer = addresses.cluster.producer()
        try:
            relay = Relay(connection, producer, view_readers(policy, source_order))
            relay.take_over()
            publish_ranks(connection, source_order)
            log.info("relay_started")
            while not stop.is_set():
                if relay.publish_batch() == 0:
                    stop.wait(_IDLE_SECONDS)
        finally:
            close_producer(producer)
    finally:
        connection.close()
