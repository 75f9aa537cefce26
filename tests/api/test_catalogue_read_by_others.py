"""Others read each event that our connectors write: Confluent's client by the running door's
registry, and a CloudEvents reader by the headers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, Message
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from kafka import TopicPartition

from connectors.encoding import Encoded, encode_drafts
from connectors.mapping.values import Draft
from connectors.publish import KafkaPublisher, outgoing
from connectors.traces import new_trace
from hub.kafka import Cluster, ensure_topics, partitions_of
from schemas.catalogue import TOPICS, Topic
from tests.api.doors import Door
from tests.schemas.plain import from_plain

pytestmark = pytest.mark.stack

EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]
INVOICES = "finance.invoice.v1"
SOURCE = "kingdee 华东?"
VERSION = 9


@pytest.fixture
def client_of_the_door(door: Door) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": door.address}) as made:
        yield made


def consumed(broker: Cluster, topics: Sequence[str], group: str, most: int) -> list[Message]:
    """The first ``most`` records of these topics, by Confluent's consumer."""
    servers = {"bootstrap.servers": ",".join(broker.bootstrap_servers)}
    consumer = Consumer({**servers, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe(list(topics))
    received: list[Message] = []
    try:
        while len(received) < most:
            message = consumer.poll(30)
            assert message is not None and message.error() is None
            received.append(message)
    finally:
        consumer.close()
    return received


def records_of(broker: Cluster, topic: str) -> int:
    """How many records a topic has that nobody writes in transactions."""
    consumer = broker.consumer()
    try:
        parts = [TopicPartition(*one) for one in partitions_of(broker, [topic])]
        return sum(consumer.end_offsets(parts).values())
    finally:
        consumer.close()


def headers_of(message: Message) -> dict[str, bytes]:
    """The headers of a record, of which each name stands there once."""
    headers = list(message.headers() or [])
    assert all(isinstance(value, bytes) for _, value in headers)
    named = {str(name): value for name, value in headers if isinstance(value, bytes)}
    assert len(named) == len(headers)
    return named


def read_as_cloud_event(message: Message) -> Any:
    """What the SDK makes of a record."""
    value = message.value()
    assert isinstance(value, bytes)
    return from_binary(KafkaMessage(headers_of(message), message.key(), value), JSONFormat())


def examples(topic: Topic) -> list[dict[str, Any]]:
    """Its valid golden examples under numbers of their own, of one source."""
    valid = topic.golden()["valid"]
    return [
        {**from_plain(topic, one), "source": SOURCE, "id": f"客户#{number}", "version": VERSION}
        for number, one in enumerate(valid)
    ]


def test_every_event_of_the_catalogue_is_read_by_others(
    client_of_the_door: SchemaRegistryClient, broker: Cluster, topic_prefix: str
) -> None:
    named = {f"{topic_prefix}{topic.name}": topic for topic in EVENTS}
    ensure_topics(
        broker, [dataclasses.replace(topic, name=name) for name, topic in named.items()], 1, 1
    )
    span = new_trace().span()
    written = {topic.name: examples(topic) for topic in EVENTS}
    records = []
    for topic in EVENTS:
        for one in written[topic.name]:
            draft = Draft(topic.document, one["id"], dict(one), VERSION, True, "export.csv:7")
            [encoded] = encode_drafts([draft])
            assert isinstance(encoded, Encoded), encoded
            records.append(outgoing(encoded, VERSION, span))
    publisher = KafkaPublisher(broker, lambda name: f"{topic_prefix}{name}")
    assert publisher.publish(records) == set()
    publisher.close()

    deserialize = AvroDeserializer(client_of_the_door)
    found: dict[str, list[Any]] = {}
    for message in consumed(broker, list(named), f"{topic_prefix}g", len(records)):
        name = message.topic()
        assert name is not None
        topic = named[name]
        context = SerializationContext(topic.name, MessageField.VALUE)
        document = deserialize(message.value(), context)
        found.setdefault(topic.name, []).append(document)
        event = read_as_cloud_event(message)
        number = document["id"]
        assert event.get_specversion() == "1.0"
        assert event.get_id() == f"{topic.document}|{SOURCE}|{number}@{VERSION}"
        assert unquote(event.get_source()) == f"/sources/{SOURCE}"
        assert event.get_type() == topic.name
        assert event.get_subject() == number
        assert event.get_time() == document["occurred_at"]
        assert event.get_datacontenttype() == "application/avro"
        assert event.get_dataschema() == f"registry:/schemas/ids/{topic.schema_id}"
        assert event.get_data() == message.value()
        assert headers_of(message)["traceparent"] == span
    assert found == written


def test_a_topic_that_the_door_writes_is_read_by_the_registry_of_the_same_door(
    door: Door,
    client: httpx.Client,
    client_of_the_door: SchemaRegistryClient,
    broker: Cluster,
    topic_prefix: str,
) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = client.post(
        "/v1/events/invoice",
        json=[door.invoice(f"read-{number}") for number in range(3)],
        headers={"traceparent": caller},
    )
    assert answer.status_code == 202, answer.text
    versions = {item["id"]: item["version"] for item in answer.json()["items"]}
    deserialize = AvroDeserializer(client_of_the_door)
    context = SerializationContext(INVOICES, MessageField.VALUE)
    for message in consumed(broker, [INVOICES], f"{topic_prefix}g", records_of(broker, INVOICES)):
        document = deserialize(message.value(), context)
        if document["source"] != door.shop or document["id"] not in versions:
            continue
        assert document["version"] == versions.pop(document["id"])
        event = read_as_cloud_event(message)
        assert event.get_type() == INVOICES
        assert event.get_time() == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
        trace = headers_of(message)["traceparent"].decode().split("-")
        # The same trace, and a span of its own.
        assert trace[1] == caller.split("-")[1] and trace[2] != caller.split("-")[2]
    assert versions == {}
