"""What a contract holds can be made by a mapping: every golden document comes out of its types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.encoding import Encoded, encode_drafts
from connectors.mapping.contract import FieldType, coercion, contract_of
from connectors.mapping.values import Draft
from connectors.publish import outgoing
from schemas.catalogue import TOPICS, Topic
from schemas.codec import Decoded, Document, decode_batch
from schemas.keys import record_key
from tests.schemas.plain import from_plain

ZONE = ZoneInfo("Asia/Shanghai")
EXAMPLES = [
    pytest.param(topic, example, id=f"{topic.document}-{number}")
    for topic in TOPICS.values()
    if topic.kind == "event"
    for number, example in enumerate(topic.golden()["valid"])
]


def mapped(fields: Mapping[str, FieldType], plain: Mapping[str, Any]) -> Document:
    """Return the values of ``plain`` (texts, as files have them) in the types of ``fields``."""
    document = {}
    for name, value in plain.items():
        wanted = fields[name]
        if not wanted.fields or value is None:
            document[name] = coercion(wanted, ZONE)(value)
        elif wanted.many:
            document[name] = [mapped(wanted.fields, each) for each in value]
        else:
            document[name] = mapped(wanted.fields, value)
    return document


def encoded(topic: Topic, example: Mapping[str, Any]) -> Encoded:
    body = mapped(contract_of(topic.document), example)
    draft = Draft(topic.document, body["id"], body, body.pop("version"), True, "golden:1")
    (found,) = encode_drafts([draft])
    assert isinstance(found, Encoded), found
    return found


@pytest.mark.parametrize(("topic", "example"), EXAMPLES)
def test_a_golden_document_comes_out_of_the_types_of_a_mapping_as_it_is(
    topic: Topic, example: dict[str, Any]
) -> None:
    message = encoded(topic, example).message(example["version"])
    (read,) = decode_batch(topic, [message])
    assert isinstance(read, Decoded)
    assert read.document == from_plain(topic, example)


@pytest.mark.parametrize(("topic", "example"), EXAMPLES)
def test_a_document_takes_its_customers_partition_where_it_names_one_and_nothing_is_compacted(
    topic: Topic, example: dict[str, Any]
) -> None:
    record = outgoing(encoded(topic, example), 1)
    customer = example.get("customer")
    assert record.key == record_key(example["source"], example["id"]).encode()
    if customer is None or topic.cleanup == "compact":
        assert record.partition_by is None, "the key chooses the partition"
    else:
        assert record.partition_by == record_key(customer["source"], customer["id"]).encode()
