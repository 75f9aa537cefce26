"""The relay publishes what is marked to a real broker: in order, as it stands now, and at least
once."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from hub.kafka import Cluster, KafkaError, ensure_topics
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch
from sinks import outbox
from sinks.changes import Marks
from sinks.database import connect
from sinks.relay import Relay, RelayTaken, View

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated function, which tests take for an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaProducer, TopicPartition

pytestmark = pytest.mark.stack

Connection = psycopg.Connection[Any]
TOPIC = "view.receivable.v1"
#: More digits than a decimal of a contract has.
TOO_MUCH = 10**40


class Balances:
    """Stands behind the views: what each customer owes, changed by the test."""

    def __init__(self) -> None:
        self.owed: dict[str, int] = {}
        self.prefix = uuid.uuid4().hex

    def read(self, connection: Connection, keys: list[str]) -> dict[str, View | None]:
        return {f"{self.prefix}-{key}": self._view(key) for key in keys}

    def _view(self, key: str) -> View | None:
        if key not in self.owed:
            return None
        amount = Decimal(self.owed[key])
        balance = {
            "currency": "CNY",
            "outstanding": amount,
            "open_amount": amount,
            "unallocated": Decimal(0),
            "items": 1,
        }
        return {"id": key, "name": None, "balances": [balance]}


class Publications:
    """What this test's relays have published, as another client reads it."""

    def __init__(self, broker: Cluster, balances: Balances) -> None:
        self._broker = broker
        self._prefix = f"{balances.prefix}-".encode()

    def all(self) -> dict[str, list[int | None]]:
        """Return what was published of each key, in order; None for a tombstone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            consumer = self._broker.consumer()
            partitions = [
                TopicPartition(TOPIC, number)
                for number in consumer.partitions_for_topic(TOPIC) or ()
            ]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            found: dict[str, list[int | None]] = {}
            while any(consumer.position(one) < ends[one] for one in partitions):
                for records in consumer.poll(timeout_ms=500).values():
                    for record in records:
                        if record.key.startswith(self._prefix):
                            key = record.key.removeprefix(self._prefix).decode()
                            found.setdefault(key, []).append(_amount(record.value))
            consumer.close()
        return found


def _amount(value: bytes | None) -> int | None:
    if value is None:
        return None
    (content,) = decode_batch(TOPICS[TOPIC], [value])
    assert isinstance(content, Decoded)
    return int(content.document["balances"][0]["outstanding"])


def depth(connection: Connection) -> int:
    ((marks,),) = connection.execute("SELECT count(*) FROM outbox")
    return int(marks)


class ProducerThatDies:
    """Publishes like the real one, after which its process is no more."""

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    def send(self, topic: str, *, key: bytes, value: bytes | None) -> Any:
        return self._producer.send(topic, key=key, value=value)

    def flush(self) -> None:
        self._producer.flush()
        raise KilledError


class KilledError(Exception):
    """Stands for SIGKILL between the broker's acknowledgement and the commit."""


@pytest.fixture
def balances() -> Balances:
    return Balances()


@pytest.fixture
def producer(broker: Cluster) -> Iterator[KafkaProducer]:
    ensure_topics(broker, [TOPICS[TOPIC]], 2, 1)
    made = broker.producer()
    yield made
    made.close(timeout=5)


@pytest.fixture
def relay(connection: Connection, producer: KafkaProducer, balances: Balances) -> Relay:
    return Relay(connection, producer, {"customer": {TOPIC: balances.read}})


@pytest.fixture
def published(broker: Cluster, balances: Balances) -> Publications:
    return Publications(broker, balances)


def mark(connection: Connection, *keys: str) -> None:
    marks = Marks()
    marks.add("customer", keys)
    with connection.transaction():
        outbox.write(connection, marks)


def test_a_view_is_published_once_as_it_stands_now_however_often_it_was_marked(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    for amount in (10, 20, 30):
        balances.owed["C"] = amount
        mark(connection, "C")
    assert depth(connection) == 3
    assert relay.publish_batch() == 3
    assert (depth(connection), relay.publish_batch()) == (0, 0)
    assert published.all() == {"C": [30]}


def test_publications_of_a_key_follow_its_changes(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    for amount in (10, 20, 10):
        balances.owed["C"] = amount
        mark(connection, "C")
        relay.publish_batch()
    assert published.all() == {"C": [10, 20, 10]}


def test_a_mark_behind_which_nothing_changed_is_not_published_again(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    balances.owed = {"C": 10, "D": 5}
    mark(connection, "C", "D")
    relay.publish_batch()
    balances.owed["D"] = 6
    mark(connection, "C", "D")
    relay.publish_batch()
    assert published.all() == {"C": [10], "D": [5, 6]}


def test_a_customer_that_is_no_more_gets_one_tombstone_and_may_come_back(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    balances.owed["C"] = 10
    mark(connection, "C", "never published")
    relay.publish_batch()
    balances.owed.clear()
    for _ in range(2):
        mark(connection, "C")
        relay.publish_batch()
    balances.owed["C"] = 10
    mark(connection, "C")
    relay.publish_batch()
    assert published.all() == {"C": [10, None, 10]}


def refused(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT stage, code, document, place, replayed_at IS NULL FROM dead_letters"
    ).fetchall()


def test_a_view_that_its_contract_cannot_hold_keeps_no_other_from_being_published(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    balances.owed = {"A": 10, "B": TOO_MUCH, "C": 30}
    for _ in range(2):
        mark(connection, "A", "B", "C")
        assert relay.publish_batch() == 3
    assert published.all() == {"A": [10], "C": [30]}
    place = f"{TOPIC} {balances.prefix}-B"
    assert refused(connection) == [("relay", "not_publishable", "receivable_view", place, True)]
    ((reason,),) = connection.execute("SELECT reason FROM dead_letters").fetchall()
    assert "Correct the documents behind it" in reason


def test_a_view_that_could_not_be_published_is_tried_again_when_it_is_marked(
    connection: Connection, relay: Relay, balances: Balances, published: Publications
) -> None:
    for amount in (10, TOO_MUCH, 20):
        balances.owed["C"] = amount
        mark(connection, "C")
        relay.publish_batch()
    assert published.all() == {"C": [10, 20]}


def test_a_view_that_fails_again_after_its_letter_was_replayed_opens_the_letter_again(
    connection: Connection, relay: Relay, balances: Balances
) -> None:
    balances.owed["C"] = TOO_MUCH
    mark(connection, "C")
    relay.publish_batch()
    connection.execute("UPDATE dead_letters SET replayed_at = now()")
    mark(connection, "C")
    relay.publish_batch()
    ((*_, is_open),) = refused(connection)
    assert is_open


def die_behind_the_acknowledgement(
    connection: Connection, producer: KafkaProducer, balances: Balances
) -> None:
    """Publish that C owes 10 by a relay that dies before it can take the mark out."""
    balances.owed["C"] = 10
    mark(connection, "C")
    dying = Relay(connection, ProducerThatDies(producer), {"customer": {TOPIC: balances.read}})
    with pytest.raises(KilledError):
        dying.publish_batch()


def test_a_relay_that_dies_after_the_acknowledgement_publishes_again(
    connection: Connection,
    producer: KafkaProducer,
    relay: Relay,
    balances: Balances,
    published: Publications,
) -> None:
    die_behind_the_acknowledgement(connection, producer, balances)
    assert depth(connection) == 1
    balances.owed["C"] = 20
    assert relay.publish_batch() == 1
    assert published.all() == {"C": [10, 20]}


def test_what_a_relay_may_have_published_as_it_died_is_known_whatever_became_of_the_mark(
    connection: Connection,
    producer: KafkaProducer,
    relay: Relay,
    balances: Balances,
    published: Publications,
) -> None:
    die_behind_the_acknowledgement(connection, producer, balances)
    connection.execute("DELETE FROM outbox")
    # As where a product was told apart: its months are looked up among what was published.
    ((key,),) = connection.execute("SELECT key FROM published_views").fetchall()
    assert key.endswith("-C")
    del balances.owed["C"]
    mark(connection, "C")
    relay.publish_batch()
    assert published.all() == {"C": [10, None]}


def test_marks_stay_where_the_broker_does_not_acknowledge(
    connection: Connection, broker: Cluster, balances: Balances
) -> None:
    missing = broker.producer(max_block_ms=500)
    balances.owed["C"] = 10
    mark(connection, "C")

    class ElsewhereProducer:
        def send(self, topic: str, *, key: bytes, value: bytes | None) -> Any:
            return missing.send(f"missing-{balances.prefix}", key=key, value=value)

        def flush(self) -> None:
            missing.flush(timeout=1)

    relay = Relay(connection, ElsewhereProducer(), {"customer": {TOPIC: balances.read}})
    with pytest.raises(KafkaError):
        relay.publish_batch()
    missing.close(timeout=1)
    assert depth(connection) == 1


def test_a_mark_that_is_not_committed_yet_is_not_passed_over(
    connection: Connection,
    database_url: str,
    relay: Relay,
    balances: Balances,
    published: Publications,
) -> None:
    balances.owed = {"early": 1, "late": 2}
    with connect(database_url) as slow:
        marks = Marks()
        marks.add("customer", ["early"])
        outbox.write(slow, marks)
        mark(connection, "late")
        assert relay.publish_batch() == 1
    assert relay.publish_batch() == 1
    assert published.all() == {"early": [1], "late": [2]}


def test_there_is_one_relay_and_the_next_takes_over_when_its_connection_ends(
    connection: Connection, database_url: str, relay: Relay, producer: KafkaProducer
) -> None:
    first = connect(database_url)
    first.autocommit = True
    Relay(first, producer, {}).take_over()
    with pytest.raises(RelayTaken):
        relay.take_over()
    first.close()
    connection.execute("SELECT pg_sleep(0.2)")
    relay.take_over()
