"""Confluent's client reads our registry and our topics with nothing set but the address."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from fastapi import FastAPI

from api.registry import registry_router
from hub.kafka import Cluster, ensure_topics
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch, encode
from sinks.database import engine
from tests.api.serving import served
from tests.schemas.plain import from_plain
from tests.schemas.schema_pairs import record

pytestmark = pytest.mark.stack

INVOICES = TOPICS["finance.invoice.v1"]


@pytest.fixture
def client(database_url: str) -> Iterator[SchemaRegistryClient]:
    database = engine(database_url)
    app = FastAPI()
    app.include_router(registry_router(database))
    with served(app) as url, SchemaRegistryClient({"url": url}) as client:
        yield client
    database.dispose()


def invoices() -> list[dict[str, Any]]:
    return [from_plain(INVOICES, example) for example in INVOICES.golden()["valid"]]


def context(topic: str = INVOICES.name) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE)


def through_kafka(broker: Cluster, topic: str, values: list[bytes]) -> list[bytes]:
    """Send values through a real topic, by Confluent's producer and consumer."""
    servers = {"bootstrap.servers": ",".join(broker.bootstrap_servers)}
    ensure_topics(broker, [dataclasses.replace(INVOICES, name=topic)], 1, 1)
    producer = Producer(servers)
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0
    start = {"group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer({**servers, **start})
    consumer.subscribe([topic])
    received: list[bytes] = []
    try:
        while len(received) < len(values):
            message = consumer.poll(30)
            assert message is not None and message.error() is None
            arrived = message.value()
            assert arrived is not None
            received.append(arrived)
    finally:
        consumer.close()
    return received


def test_a_deserializer_reads_what_the_hub_wrote(
    client: SchemaRegistryClient, broker: Cluster, topic_prefix: str
) -> None:
    documents = invoices()
    written = [encode(INVOICES, document) for document in documents]
    read = AvroDeserializer(client)
    received = through_kafka(broker, f"{topic_prefix}invoices", written)
    assert [read(value, context()) for value in received] == documents


def test_the_hub_reads_what_a_serializer_wrote(
    client: SchemaRegistryClient, broker: Cluster, topic_prefix: str
) -> None:
    documents = invoices()
    write = AvroSerializer(client, json.dumps(INVOICES.schema))
    written = [write(document, context()) for document in documents]
    received = through_kafka(broker, f"{topic_prefix}invoices", written)
    assert received == [encode(INVOICES, document) for document in documents]
    for decoded, document in zip(decode_batch(INVOICES, received), documents, strict=True):
        assert isinstance(decoded, Decoded) and decoded.document == document


def test_a_serializer_cannot_change_a_contract(client: SchemaRegistryClient) -> None:
    fields = [*INVOICES.schema["fields"], {"name": "mood", "type": "string", "default": ""}]
    write = AvroSerializer(client, json.dumps({**INVOICES.schema, "fields": fields}))
    with pytest.raises(SchemaRegistryError, match="changes with a release of the hub alone"):
        write({**invoices()[0], "mood": "good"}, context())


def test_a_topic_of_somebody_else_evolves_under_the_client(client: SchemaRegistryClient) -> None:
    old = record(("id", "long"), ("on", {"type": "int", "logicalType": "date"}))
    new = record(*old["fields"], ("note", ["null", "string"], None))
    value = {"id": 7, "on": date(2026, 11, 21)}
    first = AvroSerializer(client, json.dumps(old))(value, context("orders"))
    second = AvroSerializer(client, json.dumps(new))({**value, "note": "x"}, context("orders"))
    assert [int.from_bytes(each[1:5], "big") for each in (first, second)] == [100_000, 100_001]
    newest = AvroDeserializer(client, json.dumps(new))
    assert newest(first, context("orders")) == {**value, "note": None}
    assert AvroDeserializer(client)(first, context("orders")) == value


def test_every_call_of_the_client_is_answered(client: SchemaRegistryClient) -> None:
    v1 = Schema(json.dumps(record(("id", "long"))), "AVRO")
    v2 = Schema(json.dumps(record(("id", "long"), ("note", "string", ""))), "AVRO")
    broken = Schema(json.dumps(record(("id", "string"))), "AVRO")
    given = client.register_schema("orders-value", v1)
    assert client.register_schema("orders-value", v1, normalize_schemas=True) == given
    assert client.get_schema(given).schema_str is not None
    assert client.get_schema_types() == ["AVRO"]
    assert client.get_subjects_by_schema_id(given) == ["orders-value"]
    [used] = client.get_schema_versions(given)
    assert (used.subject, used.version) == ("orders-value", 1)
    assert client.lookup_schema("orders-value", v1).schema_id == given
    assert "orders-value" in client.get_subjects()
    assert client.get_latest_version("orders-value").version == 1
    assert client.get_version("orders-value", 1).schema_id == given
    assert client.get_versions("orders-value") == [1]
    assert client.get_referenced_by("orders-value", 1) == []
    assert client.test_compatibility("orders-value", v2)
    assert client.test_compatibility_all_versions("orders-value", v2)
    assert not client.test_compatibility("orders-value", broken, verbose=True)
    assert client.get_compatibility() == "BACKWARD"
    client.set_compatibility("orders-value", "FULL")
    assert client.get_compatibility("orders-value") == "FULL"
    assert client.get_config("orders-value").compatibility_level == "FULL"
    client.delete_config("orders-value")
    assert client.get_global_mode() == "READWRITE"
    assert client.get_mode("finance.invoice.v1-value") == "READONLY"
    assert client.update_mode("orders-value", "READONLY") == "READONLY"
    with pytest.raises(SchemaRegistryError) as refusal:
        client.register_schema("orders-value", v2)
    assert (refusal.value.http_status_code, refusal.value.error_code) == (422, 42205)
    client.delete_mode("orders-value")
    client.register_schema("orders-value", v2)
    assert client.delete_version("orders-value", 1) == 1
    assert client.delete_subject("orders-value") == [2]
    assert client.delete_subject("orders-value", permanent=True) == [1, 2]
    with pytest.raises(SchemaRegistryError) as missing:
        client.get_versions("orders-value")
    assert missing.value.error_code == 40401
