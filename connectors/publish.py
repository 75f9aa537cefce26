"""Publishes documents: every record is acknowledged by the broker before anything else happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.partitioner.default import murmur2
from kafka.producer.future import FutureRecordMetadata

from connectors.encoding import Encoded
from hub.kafka import Cluster, close_producer
from schemas.keys import record_key

Headers = list[tuple[str, bytes]]

#: The fields of a document that a record shows outside its value.
OUTSIDE = ("source", "occurred_at", "customer")

_FLUSH_S = 120.0
_PATIENCE_S = 15.0


class PublishError(Exception):
    """The broker did not take the records; nothing was marked as done, so trying again is safe."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record: its topic, key and value, and the key that chooses the partition, if another."""

    topic: str
    key: bytes
    value: bytes
    partition_by: bytes | None
    headers: Headers


class Publisher(Protocol):
    """Takes records to the log."""

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        """Return when the broker has acknowledged every record, in their order per partition.

        Returns:
            The positions of the records that are too large for the log; the others are in it.

        Raises:
            PublishError: it did not; some of them may be in the log all the same.
        """


def outgoing(encoded: Encoded, version: int, traceparent: bytes | None = None) -> Outgoing:
    """The record of a document that has its version, as a CloudEvent in Kafka's binary mode.

    Args:
        encoded: the document.
        version: of the document.
        traceparent: the span that the record is published in (``connectors.traces``), if any.
    """
    draft, topic = encoded.draft, encoded.topic
    body = draft.body
    key = record_key(body["source"], draft.id)
    customer = body.get("customer") if topic.partition_by == "customer" else None
    headers: Headers = [
        # An order and a customer may have one number, and no two events of a source have one id.
        ("ce_id", f"{topic.document}|{key}@{version}".encode()),
        ("ce_time", body["occurred_at"].isoformat().encode()),
        ("ce_subject", draft.id.encode()),
        ("place", draft.place.encode()),
        *_shared_headers(topic.name, topic.schema_id, body["source"]),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent))
    return Outgoing(
        topic=topic.name,
        key=key.encode(),
        value=encoded.message(version),
        partition_by=record_key(customer["source"], customer["id"]).encode() if customer else None,
        headers=headers,
    )


@lru_cache(maxsize=1024)
def _shared_headers(topic: str, schema_id: int, source: str) -> Headers:
    """What is the same in all records of a source on a topic.

    ``ce_dataschema`` is a URI, as CloudEvents has it; its path is that of the schema registry.
    """
    return [
        ("ce_specversion", b"1.0"),
        ("ce_source", f"/sources/{quote(source, safe='')}".encode()),
        ("ce_type", topic.encode()),
        ("ce_dataschema", f"registry:/schemas/ids/{schema_id}".encode()),
        ("content-type", b"application/avro"),
    ]


class KafkaPublisher:
    """Publishes to a cluster with an idempotent producer."""

    def __init__(
        self,
        cluster: Cluster,
        topic_name: Callable[[str], str] = lambda name: name,
        patience_s: float = _PATIENCE_S,
        delivery_s: float = _FLUSH_S,
    ) -> None:
        self._delivery_s = delivery_s
        delivery_ms = int(delivery_s * 1000)
        self._producer: KafkaProducer = cluster.producer(
            max_block_ms=int(patience_s * 1000),
            bootstrap_timeout_ms=min(delivery_ms, 30_000),
            delivery_timeout_ms=delivery_ms,
            request_timeout_ms=min(delivery_ms // 2, 30_000),
        )
        self._topic_name = topic_name
        self._partitions: dict[str, list[int]] = {}

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        """See ``Publisher.publish``."""
        refused: set[int] = set()
        futures = []
        try:
            for position, record in enumerate(records):
                try:
                    futures.append(self._send(record))
                except MessageSizeTooLargeError:
                    # Found by the producer, before anything of the record was sent.
                    refused.add(position)
            self._producer.flush(self._delivery_s)
            for future in futures:
                future.get(self._delivery_s)
        except KafkaError as error:
            raise PublishError(f"the broker did not take the records: {error}") from error
        return refused

    def close(self) -> None:
        """Close the connection to the cluster."""
        close_producer(self._producer)

    def _send(self, record: Outgoing) -> FutureRecordMetadata:
        return self._producer.send(
            self._topic_name(record.topic),
            key=record.key,
            value=record.value,
            headers=record.headers,
            partition=self._partition(record),
        )

    def _partition(self, record: Outgoing) -> int | None:
        if record.partition_by is None:
            return None
        topic = self._topic_name(record.topic)
        partitions = self._partitions.get(topic)
        if partitions is None:
            partitions = sorted(self._producer.partitions_for(topic) or ())
            if not partitions:
                raise PublishError(f"the topic {topic} is not in the cluster")
            self._partitions[topic] = partitions
        return partitions[_hash_of(record.partition_by) % len(partitions)]


# Customers recur, and kafka-python reckons a hash sign by sign.
@lru_cache(maxsize=10_000)
def _hash_of(key: bytes) -> int:
    """Kafka's hash of a key, so that documents without a customer mix with the others."""
    number: int = murmur2(key) & 0x7FFFFFFF
    return number
