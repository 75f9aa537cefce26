"""Our Kafka clients against a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from hub.kafka import (
    Cluster,
    TopicMissing,
    delete_topics,
    ensure_topics,
    log_ranges,
    partitions_of,
    topic_ids,
)
from hub.settings import KafkaSecurity

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Wanted:
    name: str
    cleanup: str = "delete"


@pytest.fixture
def topic(broker: Cluster, topic_prefix: str) -> Iterator[str]:
    name = f"{topic_prefix}orders"
    ensure_topics(broker, [Wanted(name)], 2)
    yield name
    delete_topics(broker, [name])


def configuration(broker: Cluster, topic: str) -> dict[str, str]:
    from kafka.admin import ConfigResource, ConfigResourceType

    with broker.admin() as admin:
        described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    entries = next(iter(described.values()))[topic]
    return {key: entry["value"] for key, entry in entries.items()}


def test_topics_keep_everything_and_compacted_ones_are_compacted(
    broker: Cluster, topic_prefix: str
) -> None:
    plain, compacted = Wanted(topic_prefix + "a"), Wanted(topic_prefix + "b", "compact")
    assert ensure_topics(broker, [plain, compacted], 3) == {plain.name: 3, compacted.name: 3}
    kept = configuration(broker, plain.name)
    assert (kept["retention.ms"], kept["retention.bytes"]) == ("-1", "-1")
    assert kept["cleanup.policy"] == "delete"
    kept = configuration(broker, compacted.name)
    assert (kept["cleanup.policy"], kept["min.compaction.lag.ms"]) == ("compact", "86400000")
    delete_topics(broker, [plain.name, compacted.name])


def test_a_topic_that_is_there_keeps_its_partitions(broker: Cluster, topic: str) -> None:
    assert ensure_topics(broker, [Wanted(topic)], 8) == {topic: 2}
    assert partitions_of(broker, [topic]) == [(topic, 0), (topic, 1)]


def test_a_topic_that_was_made_again_has_another_id(broker: Cluster, topic: str) -> None:
    before = topic_ids(broker, [topic])[topic]
    assert topic_ids(broker, [topic])[topic] == before
    delete_topics(broker, [topic])
    ensure_topics(broker, [Wanted(topic)], 2)
    assert topic_ids(broker, [topic])[topic] != before


def test_what_is_not_there_is_named(broker: Cluster, topic: str, topic_prefix: str) -> None:
    with pytest.raises(TopicMissing, match="nothing"):
        topic_ids(broker, [topic, f"{topic_prefix}nothing"])
    with pytest.raises(TopicMissing):
        log_ranges(broker, [(topic, 7)])
    delete_topics(broker, [f"{topic_prefix}nothing"])


async def read(broker: Cluster, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=list(broker.bootstrap_servers), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        found: list[bytes | None] = []
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=2000)).values():
                found += [record.value for record in records]
        return found
    finally:
        await consumer.stop()


def test_aiokafka_reads_what_our_producer_compresses(broker: Cluster, topic: str) -> None:
    values = [b"%d " % number * 50 for number in range(500)]
    producer = broker.producer()
    for value in values:
        producer.send(topic, key=b"k", value=value, partition=1)
    producer.flush()
    producer.close()
    assert asyncio.run(read(broker, topic, len(values))) == values
    assert log_ranges(broker, [(topic, 0), (topic, 1)]) == {
        (topic, 0): (0, 0),
        (topic, 1): (0, 500),
    }


def test_the_end_of_a_log_is_where_a_reader_of_committed_records_stops(
    broker: Cluster, topic: str, topic_prefix: str
) -> None:
    producer = broker.producer(transactional_id=f"{topic_prefix}tx")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, value=b"not yet", partition=0)
    producer.flush()
    with broker.admin() as admin:
        assert log_ranges(broker, [(topic, 0)], admin) == {(topic, 0): (0, 0)}
        producer.abort_transaction()
        # The broker writes the marker in its own time. A consumer's position then passes over the
        # aborted record and over the marker behind it.
        deadline = time.monotonic() + 10
        while log_ranges(broker, [(topic, 0)], admin) != {(topic, 0): (0, 2)}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    producer.close()


def test_a_secured_cluster_is_reached_with_its_credentials() -> None:
    security = KafkaSecurity(
        mechanism="SCRAM-SHA-512",
        username="hub",
        password=SecretStr("secret"),
        ca_file=Path("/etc/ca.pem"),
    )
    cluster = Cluster(("host:9093",), security)
    assert cluster.client_options() == {
        "bootstrap_servers": ["host:9093"],
        "reconnect_backoff_max_ms": 1_000,
        "security_protocol": "SASL_SSL",
        "ssl_cafile": "/etc/ca.pem",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hub",
        "sasl_plain_password": "secret",
    }
    assert "secret" not in repr(cluster)
