"""The codec accounts for every byte: what it cannot read is a value, never an exception."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import DOCUMENTS, TOPICS, Topic
from schemas.codec import (
    TOMBSTONE,
    Decoded,
    Document,
    Rejected,
    Tombstone,
    content_digest,
    decode_batch,
    encode,
    encode_body,
)
from tests.schemas.plain import from_plain

INVOICE = DOCUMENTS["invoice"]
RATE = DOCUMENTS["rate"]
EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]


def example(topic: Topic, number: int = 0) -> Document:
    return from_plain(topic, topic.golden()["valid"][number])


def decode(topic: Topic, value: bytes | None) -> Decoded | Rejected | Tombstone:
    [result] = decode_batch(topic, [value])
    return result


def code(topic: Topic, value: bytes) -> str:
    result = decode(topic, value)
    assert isinstance(result, Rejected), result
    assert result.reason.endswith(".")
    return result.code


def varint(number: int) -> bytes:
    """Return ``number`` zigzagged, as Avro writes it, of any size."""
    left = number * 2 if number >= 0 else -number * 2 - 1
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes([*out, left])


def text(value: bytes) -> bytes:
    return varint(len(value)) + value


def rate_message(**changed: bytes) -> bytes:
    """Return a rate in hand-made Avro, with some of its parts changed."""
    parts = {
        "version": varint(7),
        "source": text(b"erp"),
        "id": text(b"1"),
        "company": varint(0),
        "occurred_at": varint(1_760_000_000_000_000),
        "deleted": b"\0",
        "recorded_at": varint(0),
        "currency": text(b"EUR"),
        "base": text(b"CNY"),
        "rate": text((8_310_000_000).to_bytes(5, "big")),
        "valid_on": varint(20_370),
    }
    assert set(changed) <= set(parts)
    return b"\0" + RATE.schema_id.to_bytes(4, "big") + b"".join((parts | changed).values())


def test_a_batch_keeps_its_order_and_its_tombstones() -> None:
    good = encode(RATE, example(RATE))
    results = decode_batch(RATE, [good, None, good[:-1], good])
    assert [type(result) for result in results] == [Decoded, Tombstone, Rejected, Decoded]
    assert results[1] is TOMBSTONE


def test_hand_made_avro_is_read_as_it_was_meant() -> None:
    result = decode(RATE, rate_message())
    assert isinstance(result, Decoded)
    assert result.document["rate"] == Decimal("8.31")
    assert result.document["rate"].as_tuple().exponent == -9
    assert result.document["valid_on"] == date(2025, 10, 9)
    assert result.document["occurred_at"] == datetime.fromisoformat("2025-10-09T08:53:20Z")


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_a_message_cut_at_any_length_is_refused(topic: Topic) -> None:
    for number in range(len(topic.golden()["valid"])):
        message = encode(topic, example(topic, number))
        for length in range(len(message)):
            assert isinstance(decode(topic, message[:length]), Rejected), length


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_bytes_left_over_are_refused(topic: Topic) -> None:
    message = encode(topic, example(topic))
    assert code(topic, message + b"\0") == "left_over"
    assert code(topic, message + message) == "left_over"


def test_the_head_is_checked() -> None:
    message = encode(INVOICE, example(INVOICE))
    assert code(INVOICE, b"\1" + message[1:]) == "wrong_magic"
    assert code(INVOICE, b"\0\0\0\0\0" + message[5:]) == "unknown_schema"
    assert code(INVOICE, b"\0\xff\xff\xff\xff" + message[5:]) == "unknown_schema"
    assert code(INVOICE, encode(RATE, example(RATE))) == "wrong_topic"
    assert code(INVOICE, b"") == code(INVOICE, b"\0\0") == "truncated"


@pytest.mark.parametrize(
    "changed",
    [
        {"source": text(b"\xff\xfe")},
        {"source": text("\ud800".encode("utf-8", "surrogatepass"))},
        {"source": varint(-3) + b"erp"},
        {"company": varint(2) + text(b"1000")},
        {"company": varint(-1) + text(b"1000")},
        {"deleted": b"\2"},
        {"deleted": b"\xff"},
        {"version": varint(2**63)},
        {"version": varint(-(2**63) - 1)},
        {"version": b"\xff" * 9 + b"\x7f"},
        {"version": b"\x80" * 12 + b"\1"},
        {"version": b"\x8e\x00"},
        {"version": b"\x8e\x80\x80\x80\x80\x80\x80\x00"},
        {"occurred_at": varint(2**62)},
        {"occurred_at": varint(-(2**60))},
        {"valid_on": varint(3_000_000)},
        {"valid_on": varint(-800_000)},
        {"valid_on": varint(2**31)},
        {"rate": text(b"")},
        {"rate": text((10**38).to_bytes(16, "big"))},
        {"rate": text((-(10**38)).to_bytes(16, "big", signed=True))},
        {"rate": text(b"\0" * 17)},
        {"rate": text(b"\0" * 64)},
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_its_type_is_malformed(changed: dict[str, bytes]) -> None:
    assert code(RATE, rate_message(**changed)) == "malformed"


def test_the_largest_values_of_each_type_are_read_exactly() -> None:
    rounded = Decimal(10**38 - 1).scaleb(-9, context=Context(prec=28))
    unscaled = (10**38 - 1).to_bytes(16, "big")
    result = decode(
        RATE,
        rate_message(
            version=varint(2**63 - 1),
            rate=text(unscaled),
            valid_on=varint(date.max.toordinal() - date(1970, 1, 1).toordinal()),
        ),
    )
    assert isinstance(result, Decoded)
    assert str(result.document["rate"]) == "9" * 29 + "." + "9" * 9
    # Python's usual context rounds, the codec does not, whatever the context of the process.
    assert result.document["rate"] != rounded
    assert result.document["version"] == 2**63 - 1
    assert result.document["valid_on"] == date.max


def test_array_items_in_several_blocks_are_read_and_their_sizes_are_checked() -> None:
    topic = DOCUMENTS["product"]
    document = example(topic, 2)
    body = encode_body(topic, document)
    assert body.endswith(b"\0")
    item = text(b"crm") + text(b"p-1")
    head = b"\0" + topic.schema_id.to_bytes(4, "big") + body[:-1]
    sized = varint(-1) + varint(len(item)) + item
    several = decode(topic, head + varint(1) + item + sized + varint(2) + item + item + b"\0")
    assert isinstance(several, Decoded)
    assert several.document["same_as"] == [{"source": "crm", "id": "p-1"}] * 4
    assert code(topic, head + varint(-1) + varint(len(item) + 1) + item + b"\0") == "malformed"
    assert code(topic, head + varint(-1) + varint(-1) + item + b"\0") == "malformed"
    assert code(topic, head + varint(2**62) + item + b"\0") == "truncated"


def test_the_digest_leaves_out_the_version_and_nothing_else() -> None:
    document = example(INVOICE)
    digests = set()
    for version in (1, 63, 64, 8_192, 1_760_000_000_000_000, 2**62):
        decoded = decode(INVOICE, encode(INVOICE, document | {"version": version}))
        assert isinstance(decoded, Decoded)
        assert decoded.digest == content_digest(decoded.body)
        assert decoded.body == encode_body(INVOICE, document | {"version": version})
        digests.add(decoded.digest)
    body_of_version_one = encode_body(INVOICE, document | {"version": 1})
    assert digests == {hashlib.sha256(body_of_version_one[1:]).digest()}
    other = decode(INVOICE, encode(INVOICE, document | {"id": "other"}))
    assert isinstance(other, Decoded)
    assert other.digest not in digests


def test_no_contract_can_nest_without_end() -> None:
    def depth(schema: Any, named: dict[str, Any], above: tuple[str, ...]) -> int:
        if isinstance(schema, str):
            assert schema not in above, f"{schema} contains itself"
            return depth(named[schema], named, above) if schema in named else 0
        if isinstance(schema, list):
            return max(depth(branch, named, above) for branch in schema)
        if schema["type"] == "array":
            return depth(schema["items"], named, above)
        if schema["type"] != "record":
            return 0
        name = f"headrace.{schema['name']}"
        named[name] = schema
        return 1 + max(depth(field["type"], named, (*above, name)) for field in schema["fields"])

    assert all(depth(topic.schema, {}, ()) <= 3 for topic in TOPICS.values())


@given(st.binary(max_size=400))
def test_random_bytes_never_raise(body: bytes) -> None:
    for topic in EVENTS:
        head = b"\0" + topic.schema_id.to_bytes(4, "big")
        assert isinstance(decode(topic, head + body), Decoded | Rejected)
        assert isinstance(decode(topic, body), Decoded | Rejected)


@given(st.sampled_from(EVENTS), st.data())
def test_a_damaged_message_is_refused_or_read_as_fastavro_reads_it(
    topic: Topic, choices: st.DataObject
) -> None:
    message = bytearray(encode(topic, example(topic)))
    for _ in range(choices.draw(st.integers(1, 3))):
        place = choices.draw(st.integers(5, len(message) - 1))
        message[place] = choices.draw(st.integers(0, 255))
    result = decode(topic, bytes(message))
    assert isinstance(result, Decoded | Rejected)
    if isinstance(result, Decoded):
        read = fastavro.schemaless_reader(BytesIO(result.body), topic.parsed, None)
        assert read == result.document


def values(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of values that fit a schema of ours."""
    if isinstance(schema, list):
        return st.none() | values(schema[1], named)
    if isinstance(schema, str) and schema in named:
        return values(named[schema], named)
    kind = schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
    if kind == "record":
        named[f"headrace.{schema['name']}"] = schema
        return st.fixed_dictionaries(
            {field["name"]: values(field["type"], named) for field in schema["fields"]}
        )
    if kind == "array":
        return st.lists(values(schema["items"], named), max_size=3)
    return SCALARS[kind]


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=100),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "date": st.dates(),
    "timestamp-micros": st.datetimes(timezones=st.just(UTC)),
    "decimal": st.decimals(-(10**18), 10**18, allow_nan=False, places=9),
}


@given(st.sampled_from(EVENTS), st.data())
def test_any_document_of_a_contract_comes_back_as_it_was(
    topic: Topic, choices: st.DataObject
) -> None:
    document = choices.draw(values(topic.schema, {}))
    result = decode(topic, encode(topic, document))
    assert isinstance(result, Decoded)
    assert result.document == document
