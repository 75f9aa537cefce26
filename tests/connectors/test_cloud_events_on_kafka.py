"""A record is a CloudEvent in the binary mode of Kafka's binding: the CloudEvents SDK reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from connectors.encoding import Encoded, encode_drafts
from connectors.mapping.values import Draft
from connectors.publish import Outgoing, outgoing
from schemas.catalogue import DOCUMENTS, TOPICS, Topic, by_schema_id
from schemas.codec import Decoded, decode_batch
from tests.schemas.plain import from_plain

EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]
SPAN = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def record_of(topic: Topic, source: str, number: str, traceparent: bytes | None = None) -> Outgoing:
    body = from_plain(topic, topic.golden()["valid"][0]) | {"source": source, "id": number}
    [encoded] = encode_drafts([Draft(topic.document, number, body, 1, True, "export.csv:7")])
    assert isinstance(encoded, Encoded), encoded
    return outgoing(encoded, 9, traceparent)


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
@pytest.mark.parametrize(("source", "number"), [("erp", "42"), ("kingdee 华东?", "客户#1 %")])
def test_the_sdk_reads_every_attribute(topic: Topic, source: str, number: str) -> None:
    record = record_of(topic, source, number)
    assert len(dict(record.headers)) == len(record.headers)
    event = from_binary(KafkaMessage(dict(record.headers), record.key, record.value), JSONFormat())
    assert event.get_specversion() == "1.0"
    assert event.get_id() == f"{topic.document}|{source}|{number}@9"
    assert unquote(event.get_source()) == f"/sources/{source}"
    assert event.get_source().isascii()
    assert event.get_type() == topic.name
    assert event.get_subject() == number
    assert event.get_time() == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/avro"
    schema = urlsplit(event.get_dataschema() or "")
    assert schema.scheme, "CloudEvents has a URI here, not a reference"
    assert schema.path == f"/schemas/ids/{topic.schema_id}"
    assert by_schema_id(int(schema.path.rpartition("/")[2])) is topic
    data = event.get_data()
    assert isinstance(data, bytes)
    [read] = decode_batch(topic, [data])
    assert isinstance(read, Decoded)
    assert (read.document["source"], read.document["id"]) == (source, number)


def test_two_documents_of_a_source_with_one_number_are_two_events() -> None:
    records = [record_of(DOCUMENTS[name], "erp", "1") for name in ("customer", "order")]
    identities = [(dict(one.headers)["ce_source"], dict(one.headers)["ce_id"]) for one in records]
    assert len(set(identities)) == 2


def test_the_span_of_the_caller_stands_beside_the_attributes() -> None:
    invoice = DOCUMENTS["invoice"]
    assert dict(record_of(invoice, "erp", "1", SPAN).headers)["traceparent"] == SPAN
    assert "traceparent" not in dict(record_of(invoice, "erp", "1").headers)
