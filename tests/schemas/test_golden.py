"""Every contract keeps its golden examples: valid ones survive the wire, invalid ones are named."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import avro.schema
import pytest

from schemas.catalogue import TOPICS, Topic
from schemas.codec import Decoded, Document, Rejected, Unencodable, decode_batch, encode
from schemas.plain import to_plain
from schemas.validation import violations
from tests.oracle.documents import broken_rule
from tests.schemas.plain import from_plain

EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]
#: The oracle judges what can be decoded, knows no list of currencies and no bounds of single
#: fields, and takes decisions as they are.
UNKNOWN_TO_THE_ORACLE = {
    *("contract", "currency", "text_length", "number_range", "reference"),
    *("decision", "subject", "actor"),
}
HEADER = ["version", "source", "id", "company", "occurred_at", "deleted", "recorded_at"]


def examples(kind: str, without: Collection[str] = ()) -> list[Any]:
    return [
        pytest.param(topic, example, id=f"{topic.document}-{number}")
        for topic in EVENTS
        for number, example in enumerate(topic.golden()[kind])
        if example.get("code") not in without
    ]


def refusal(topic: Topic, plain: dict[str, Any]) -> str | None:
    """Return the code under which ``plain`` is refused; ``contract`` if it cannot be encoded."""
    try:
        message = encode(topic, from_plain(topic, plain))
    except Unencodable:
        return "contract"
    [decoded] = decode_batch(topic, [message])
    assert isinstance(decoded, Decoded)
    refused = violations(topic.document, decoded.document)
    return refused.code if refused is not None else None


@pytest.mark.parametrize(("topic", "plain"), examples("valid"))
def test_a_valid_example_comes_back_from_the_wire_as_it_was(
    topic: Topic, plain: dict[str, Any]
) -> None:
    document = from_plain(topic, plain)
    [decoded] = decode_batch(topic, [encode(topic, document)])
    assert isinstance(decoded, Decoded)
    assert decoded.document == document
    assert from_plain(topic, to_plain(decoded.document)) == document
    assert violations(topic.document, decoded.document) is None


@pytest.mark.parametrize(("topic", "example"), examples("invalid"))
def test_an_invalid_example_is_refused_for_its_reason(
    topic: Topic, example: dict[str, Any]
) -> None:
    assert refusal(topic, example["document"]) == example["code"], example["why"]


@pytest.mark.parametrize(("topic", "plain"), examples("valid"))
def test_the_oracle_takes_a_valid_example(topic: Topic, plain: dict[str, Any]) -> None:
    assert broken_rule(topic.document, from_plain(topic, plain)) is None


@pytest.mark.parametrize(("topic", "example"), examples("invalid", UNKNOWN_TO_THE_ORACLE))
def test_the_oracle_refuses_what_the_rules_refuse(topic: Topic, example: dict[str, Any]) -> None:
    assert broken_rule(topic.document, from_plain(topic, example["document"])), example["why"]


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_each_event_has_three_valid_and_five_invalid_examples(topic: Topic) -> None:
    golden = topic.golden()
    assert len(golden["valid"]) >= 3
    assert len(golden["invalid"]) >= 5
    assert all(example["why"] for example in golden["invalid"])


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_each_event_begins_with_the_same_header(topic: Topic) -> None:
    assert [field["name"] for field in topic.schema["fields"]][: len(HEADER)] == HEADER


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_every_field_says_what_it_means(topic: Topic) -> None:
    silent = [
        f"{record['name']}.{field['name']}"
        for record in records(topic.schema)
        for field in record["fields"]
        if not field.get("doc", "").endswith(".")
    ]
    assert silent == []


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_every_number_says_its_unit_and_every_instant_its_zone(topic: Topic) -> None:
    units = {
        "decimal": r"currency|unit|[Hh]ours|from 0 to 1",
        "int": r"[Mm]onths|[Dd]ays|[Hh]ours|[Ss]econds|[Nn]umber|from 1 \(bad\) to 5",
        "timestamp-micros": r"UTC",
    }
    silent = [
        f"{record['name']}.{field['name']}"
        for record in records(topic.schema)
        for field in record["fields"]
        if not re.search(units.get(kind(field["type"]), ""), field["doc"])
    ]
    assert silent == []


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_every_decimal_has_38_digits_and_every_field_that_may_be_null_is_null_by_default(
    topic: Topic,
) -> None:
    for record in records(topic.schema):
        assert record["doc"].endswith(".")
        for field in record["fields"]:
            if isinstance(field["type"], list):
                assert (field["type"][0], field["default"]) == ("null", None), field["name"]
            if kind(field["type"]) == "decimal":
                [decimal] = [one for one in branches(field["type"]) if one != "null"]
                assert (decimal["precision"], decimal["scale"]) == (38, 9), field["name"]


def branches(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def kind(schema: Any) -> str:
    """The type of a field, whether or not it may be null."""
    only = branches(schema)[-1]
    return str(only if isinstance(only, str) else only.get("logicalType", only["type"]))


def records(schema: Any) -> list[Any]:
    """Return every record that a schema defines."""
    if isinstance(schema, list):
        return [record for branch in schema for record in records(branch)]
    if not isinstance(schema, dict):
        return []
    below = [record for field in schema.get("fields", []) for record in records(field["type"])]
    below += records(schema.get("items"))
    return [schema, *below] if schema["type"] == "record" else below


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_apache_avro_takes_the_contract_as_it_is(topic: Topic) -> None:
    parsed = avro.schema.parse(json.dumps(topic.schema))
    assert isinstance(parsed, avro.schema.RecordSchema)
    assert [field.name for field in parsed.fields] == [
        field["name"] for field in topic.schema["fields"]
    ]


def test_a_document_with_an_unknown_field_is_not_encoded() -> None:
    topic = TOPICS["finance.rate.v1"]
    document: Document = from_plain(topic, topic.golden()["valid"][0])
    with pytest.raises(Unencodable, match="not a rate"):
        encode(topic, document | {"note": "unknown"})
    assert not isinstance(decode_batch(topic, [encode(topic, document)])[0], Rejected)
