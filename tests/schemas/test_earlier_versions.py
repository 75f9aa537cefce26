"""A message is read by the version that wrote it, and is a document of the present contract."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.catalogue import DOCUMENTS, TOPICS, by_schema_id
from schemas.codec import (
    TOMBSTONE,
    Decoded,
    Rejected,
    content_digest,
    decode_batch,
    encode,
    encode_body,
)
from schemas.compatibility import Mode, incompatibilities
from schemas.compiler import compile_reader
from tests.schemas.evolutions import ADDED, evolved, grown, projected, with_versions
from tests.schemas.plain import from_plain
from tests.schemas.test_codec import values

RATE = DOCUMENTS["rate"]
FIRST = with_versions(RATE, RATE.schema)
MOODS = {"name": "moods", "type": {"type": "array", "items": "string"}, "default": []}
SECOND = with_versions(RATE, RATE.schema, grown(RATE.schema, MOODS, without="company"))
EVENTS = [topic for topic in TOPICS.values() if topic.kind == "event"]


def rate(**changed: Any) -> dict[str, Any]:
    return from_plain(RATE, RATE.golden()["valid"][0]) | changed


def second_rate(**changed: Any) -> dict[str, Any]:
    document = rate(moods=[]) | changed
    del document["company"]
    return document


def read(value: bytes) -> Decoded:
    [result] = decode_batch(SECOND, [value])
    assert isinstance(result, Decoded), result
    return result


def refused(value: bytes) -> str:
    [result] = decode_batch(SECOND, [value])
    assert isinstance(result, Rejected), result
    return result.code


def test_a_batch_may_hold_messages_of_both_versions() -> None:
    first = encode(FIRST, rate(company="1000"))
    second = encode(SECOND, second_rate(moods=["calm"]))
    assert (first[:5], second[:5]) == (b"\0\0\0\0\x6d", b"\0\0\0\x04\x55")
    one, none, other, again = decode_batch(SECOND, [first, None, second, first])
    assert none is TOMBSTONE
    assert isinstance(one, Decoded) and isinstance(other, Decoded) and isinstance(again, Decoded)
    assert one.document == again.document == second_rate()
    assert other.document == second_rate(moods=["calm"])
    assert {one.schema_id, other.schema_id, again.schema_id} == {1109}


def test_the_same_content_has_the_same_body_and_digest_whichever_version_wrote_it() -> None:
    one, other = read(encode(FIRST, rate())), read(encode(SECOND, second_rate()))
    assert (one.body, one.digest) == (other.body, other.digest)
    assert one.digest == content_digest(one.body)
    # What the present contract does not have makes no difference, and what it has does.
    assert read(encode(FIRST, rate(company="2000"))).digest == one.digest
    assert read(encode(FIRST, rate(base="USD"))).digest != one.digest
    assert read(encode(SECOND, second_rate(moods=["calm"]))).digest != one.digest


def test_a_default_that_is_a_list_belongs_to_one_document() -> None:
    value = encode(FIRST, rate())
    one, other = decode_batch(SECOND, [value, value])
    assert isinstance(one, Decoded) and isinstance(other, Decoded)
    one.document["moods"].append("calm")
    assert other.document["moods"] == []
    assert read(value).document["moods"] == []


def test_the_largest_decimal_of_an_earlier_version_stays_exact() -> None:
    largest = Decimal("9" * 29 + "." + "9" * 9)
    one = read(encode(FIRST, rate(rate=largest)))
    assert one.document["rate"] == largest
    assert one.body == encode_body(SECOND, second_rate(rate=largest))


def test_an_id_of_no_version_stays_unknown() -> None:
    body = encode(SECOND, second_rate())[5:]
    for unknown in (2109, 0, 2**32 - 1):
        assert refused(b"\0" + unknown.to_bytes(4, "big") + body) == "unknown_schema"
    [before] = decode_batch(FIRST, [b"\0" + (1109).to_bytes(4, "big") + body])
    assert isinstance(before, Rejected) and before.code == "unknown_schema"
    assert refused(b"\1" + encode(FIRST, rate())[1:]) == "wrong_magic"
    assert refused(encode(DOCUMENTS["lead"], lead())) == "wrong_topic"
    # The three bytes of a cut head would be the id 109 in big-endian as well.
    assert refused(b"\0\x6d") == refused(b"\0\0\0\x6d") == "truncated"


def lead() -> dict[str, Any]:
    return from_plain(DOCUMENTS["lead"], DOCUMENTS["lead"].golden()["valid"][0])


def test_every_byte_of_an_earlier_version_is_accounted_for() -> None:
    first = encode(FIRST, rate(company="1000"))
    for length in range(5, len(first)):
        assert refused(first[:length]) in ("truncated", "malformed")
    assert refused(first + b"\0") == "left_over"
    # In the field that the present contract no longer has.
    assert refused(first.replace(b"\x02\x081000", b"\x02\x08\xff000")) == "malformed"
    assert refused(first.replace(b"\x02\x081000", b"\x04\x081000")) == "malformed"


def test_the_readers_of_all_released_versions_can_be_made() -> None:
    for topic in TOPICS.values():
        assert len(topic.read_earlier) == max(len(topic.versions) - 1, 0)
        assert all(by_schema_id(schema_id) is topic for schema_id in topic.read_earlier)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "long"}, "type long cannot be read as string"),
        ({"type": ["null", "string"]}, "type union cannot be read as string"),
        ({"name": "title"}, "id was not written and has no default"),
    ],
)
def test_what_no_release_allows_cannot_be_read(change: Mapping[str, Any], told: str) -> None:
    fields = [
        {**field, **change} if field["name"] == "id" else field for field in RATE.schema["fields"]
    ]
    with pytest.raises(ValueError, match=told):
        compile_reader(RATE.schema, {**RATE.schema, "fields": fields})


# To make a failing contract smaller takes minutes and finds nothing that it does not show itself.
@settings(max_examples=60, phases=[Phase.generate])
@given(st.sampled_from(EVENTS), st.integers(0, 2**32), st.data())
def test_a_document_of_any_version_is_read_as_the_present_contract_has_it(
    topic: Any, seed: int, choices: st.DataObject
) -> None:
    rng = random.Random(seed)
    versions = [topic.schema]
    for number in (2, 3):
        later = evolved(rng, versions[-1], number)
        earlier = [(place, json.dumps(one)) for place, one in enumerate(versions, start=1)]
        assert incompatibilities(Mode.FULL_TRANSITIVE, json.dumps(later), earlier) == ()
        versions.append(later)
    present = with_versions(topic, *versions)
    documents = [choices.draw(values(schema, {})) for schema in versions]
    messages = [
        encode(with_versions(topic, *versions[:number]), document)
        for number, document in enumerate(documents, start=1)
    ]
    results = decode_batch(present, messages)
    for document, schema, result in zip(documents, versions, results, strict=True):
        assert isinstance(result, Decoded), result
        expected = projected(document, schema, present.schema)
        assert result.document == expected
        assert list(result.document) == [field["name"] for field in present.schema["fields"]]
        assert result.body == encode_body(present, expected)
        assert result.digest == content_digest(result.body)
    for message in messages:
        cut = rng.randrange(5, len(message))
        shorter, longer = decode_batch(present, [message[:cut], message + b"\0"])
        assert isinstance(shorter, Rejected)
        assert isinstance(longer, Rejected) and longer.code == "left_over"


@given(st.data())
def test_a_damaged_message_of_an_earlier_version_never_raises(choices: st.DataObject) -> None:
    message = bytearray(encode(FIRST, rate(company="1000")))
    for _ in range(choices.draw(st.integers(1, 3))):
        place = choices.draw(st.integers(5, len(message) - 1))
        message[place] = choices.draw(st.integers(0, 255))
    [result] = decode_batch(SECOND, [bytes(message)])
    assert isinstance(result, Decoded | Rejected)


def test_the_generated_fields_are_of_every_type_that_contracts_use() -> None:
    kinds = {json.dumps(kind) for kind, _, _ in ADDED.values()}
    assert len(kinds) == len(ADDED)
