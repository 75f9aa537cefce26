"""A compiled writer writes what fastavro writes, and gives back what a reader reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import DOCUMENTS, TOPICS, Topic
from schemas.codec import Document, Unencodable, written
from schemas.plain import to_plain
from schemas.writing import compile_writer
from schemas.written_values import Unfit
from tests.schemas.test_codec import EVENTS, example, values

RATE = DOCUMENTS["rate"]
_HEAD = b"\0\0\0\0\1"


def by_fastavro(topic: Topic, document: Document) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, topic.parsed, document)
    return out.getvalue()


@given(st.sampled_from(EVENTS), st.data())
def test_any_document_is_written_as_fastavro_writes_it(
    topic: Topic, choices: st.DataObject
) -> None:
    document = choices.draw(values(topic.schema, {}))
    message, read = topic.write(_HEAD, document)
    assert message == _HEAD + by_fastavro(topic, document)
    again, _, end = topic.read(message, len(_HEAD))
    assert end == len(message)
    # As they are shown: equal amounts may differ in their places, and equal instants in zones.
    assert to_plain(read) == to_plain(again)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.document)
def test_every_contract_has_a_writer(topic: Topic) -> None:
    with pytest.raises(KeyError):
        topic.write(_HEAD, {})


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_what_has_a_default_may_be_left_out(topic: Topic) -> None:
    defaults = {field["name"] for field in topic.schema["fields"] if "default" in field}
    short = {name: part for name, part in example(topic).items() if name not in defaults}
    message, read = topic.write(_HEAD, short)
    assert message == _HEAD + by_fastavro(topic, short)
    assert to_plain(read) == to_plain(topic.read(message, len(_HEAD))[0])


def test_defaults_of_every_type_are_written_and_never_shared() -> None:
    instalment = {
        "type": "record",
        "name": "Part",
        "fields": [
            {"name": "number", "type": "int"},
            {"name": "note", "type": ["null", "string"], "default": None},
        ],
    }
    contract: dict[str, Any] = {
        "type": "record",
        "name": "Sample",
        "fields": [
            {"name": "version", "type": "long"},
            {"name": "parts", "type": {"type": "array", "items": instalment}, "default": []},
            {"name": "first", "type": "headrace.Part", "default": {"number": 7}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}, "default": 1},
        ],
    }
    write = compile_writer(contract)
    message, read = write(b"", {"version": 1})
    assert message == b"\x02\x00\x0e\x00\x02"
    assert {**read, "day": str(read["day"])} == {
        "version": 1,
        "parts": [],
        "first": {"number": 7, "note": None},
        "day": "1970-01-02",
    }
    assert write(b"", {"version": 1})[1]["parts"] is not read["parts"]


@pytest.mark.parametrize(
    "changed",
    [
        {"occurred_at": datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))},
        {"recorded_at": 1_760_000_000_000_000},
        {"rate": (8_310_000_000).to_bytes(5, "big")},
        {"deleted": 1},
    ],
    ids=str,
)
def test_what_is_left_to_fastavro_is_read_back_as_before(changed: Document) -> None:
    document = example(RATE) | changed
    with pytest.raises(Unfit):
        RATE.write(_HEAD, document)
    message, read = written(RATE, document)
    assert to_plain(read) == to_plain(RATE.read(message, 5)[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rate": Decimal("1E-10")}, "Scale"),
        ({"rate": Decimal(10) ** 29}, "38 digits"),
        ({"rate": Decimal("NaN")}, "not a rate"),
        ({"rate": Decimal("sNaN")}, "not a rate"),
        ({"rate": None}, "rate"),
        ({"version": 2**63}, "not a rate"),
        ({"company": "\ud800"}, "surrogates"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_whatever_was_written_before(
    changed: Document, said: str
) -> None:
    for _ in range(2):
        with pytest.raises(Unencodable, match=said):
            written(RATE, example(RATE) | changed)
        written(RATE, example(RATE))


def test_amount_of_needless_zeros_is_the_same_amount() -> None:
    amount = Decimal("8.31000000000")
    message, read = written(RATE, example(RATE) | {"rate": amount})
    assert message == written(RATE, example(RATE) | {"rate": Decimal("8.31")})[0]
    assert str(read["rate"]) == "8.310000000"


def test_zero_has_no_sign() -> None:
    for zero in ("-0", "0", "-0.00"):
        read = written(RATE, example(RATE) | {"rate": Decimal(zero)})[1]
        assert str(read["rate"]) == "0E-9"


def test_instant_of_another_zone_is_read_in_utc() -> None:
    local = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    for _ in range(2):
        read = written(RATE, example(RATE) | {"occurred_at": local})[1]
        assert read["occurred_at"].tzinfo is UTC
        written(RATE, example(RATE) | {"occurred_at": local.astimezone(UTC)})
