"""Every text has a longest length, every number a range, and every reference is to something."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from schemas.bounds import (
    BEYOND,
    LONGEST_ID_BYTES,
    LONGEST_PROSE,
    LONGEST_SOURCE,
    LONGEST_TEXT,
    PROSE,
    SHORT_BODY,
    compile_bounds,
)
from schemas.catalogue import TOPICS, Topic
from schemas.codec import Document, encode_body
from schemas.validation import violations
from tests.schemas.plain import from_plain
from tests.schemas.test_golden import records

EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]
LARGEST = Decimal("9" * 20 + "." + "9" * 9)
Way = tuple[str | int, ...]


def leaves(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """The values in a document that are no lists and no records, with the way to each."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*way, step))
        else:
            yield (*way, step), inner


def changed(document: Document, way: Way, value: Any) -> Document:
    other = copy.deepcopy(document)
    *before, last = way
    inner: Any = other
    for step in before:
        inner = inner[step]
    inner[last] = value
    return other


def code(topic: Topic, document: Document) -> str | None:
    refused = violations(topic.document, document)
    assert refused is None or refused.reason.endswith(".")
    return refused.code if refused is not None else None


def limits(way: Way) -> tuple[str, str, str]:
    """The longest text that may stand there, one that is too long, and the code of that."""
    name = next(step for step in reversed(way) if isinstance(step, str))
    if name == "id":
        return "é" * (LONGEST_ID_BYTES // 2), "é" * (LONGEST_ID_BYTES // 2) + "a", "text_length"
    if name == "source":
        refused = "source" if len(way) == 1 else "reference"
        return "s" * LONGEST_SOURCE, "s" * (LONGEST_SOURCE + 1), refused
    most = LONGEST_PROSE if name in PROSE else LONGEST_TEXT
    return "客" * most, "客" * (most + 1), "text_length"


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_every_text_and_number_of_the_full_example_is_bounded(topic: Topic) -> None:
    document = from_plain(topic, topic.golden()["valid"][0])
    words = {"currency", "base", "kind", "status", "stage", "channel", "category", "influence"}
    words |= {"period", "outcome", "document"}
    for way, value in leaves(document):
        if isinstance(value, str) and way[-1] not in words:
            longest, too_long, refused = limits(way)
            assert code(topic, changed(document, way, longest)) is None, way
            assert code(topic, changed(document, way, too_long)) == refused, way
        elif isinstance(value, Decimal):
            for beyond, largest in ((BEYOND, LARGEST), (-BEYOND, LARGEST.copy_negate())):
                assert code(topic, changed(document, way, beyond)) == "number_range", way
                assert code(topic, changed(document, way, largest)) != "number_range", way


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
@pytest.mark.parametrize("reference", [("", "1"), ("erp", ""), ("a|b", "1")], ids=str)
def test_every_reference_is_to_a_document_of_a_source(
    topic: Topic, reference: tuple[str, str]
) -> None:
    ways = {way[:-1] for _, document in examples(topic) for way, _ in leaves(document)}
    source, number = reference
    for document in (document for _, document in examples(topic)):
        for way, _ in leaves(document):
            if way[-1] == "id" and way[:-1] in ways and len(way) > 1:
                broken = changed(document, way[:-1], {"source": source, "id": number})
                assert code(topic, broken) == "reference", way


def examples(topic: Topic) -> list[tuple[int, Document]]:
    return list(enumerate(from_plain(topic, plain) for plain in topic.golden()["valid"]))


def test_every_kind_of_field_is_in_some_example() -> None:
    """What no example holds, the tests above do not see."""
    missing = []
    for topic in EVENTS:
        held = {way[-1] for _, document in examples(topic) for way, v in leaves(document) if v}
        held |= {
            step for _, document in examples(topic) for way, _ in leaves(document) for step in way
        }
        missing += [
            f"{topic.document}.{field['name']}"
            for record in records(topic.schema)
            for field in record["fields"]
            if field["name"] not in held
        ]
    assert missing == []


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.document)
def test_a_short_body_is_judged_as_any_other(topic: Topic) -> None:
    quick, thorough = compile_bounds(topic.schema, texts=False), compile_bounds(topic.schema)
    for _, document in examples(topic):
        for way, value in leaves(document):
            for other in ("", "a|b", BEYOND, "x" * LONGEST_TEXT):
                if type(other) is not type(value):
                    continue
                broken = changed(document, way, other)
                if len(encode_body(topic, broken)) <= SHORT_BODY:
                    assert quick(broken) == thorough(broken)
