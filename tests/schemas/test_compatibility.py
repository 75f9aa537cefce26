"""Seven modes over pairs of schemas, and over histories of more than one version."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.canonical import InvalidSchema, meaning, normal_text, read_json
from schemas.compatibility import Mode, incompatibilities
from schemas.parsing import parse
from tests.schemas.schema_pairs import PAIRS, Pair, enum, record

PAIR = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)


def expected(pair: Pair, mode: Mode) -> bool:
    backward = pair.new_reads_earlier or mode in (
        Mode.NONE,
        Mode.FORWARD,
        Mode.FORWARD_TRANSITIVE,
    )
    forward = pair.earlier_reads_new or mode in (
        Mode.NONE,
        Mode.BACKWARD,
        Mode.BACKWARD_TRANSITIVE,
    )
    return backward and forward


@pytest.mark.parametrize("mode", Mode)
@PAIR
def test_each_mode_answers_for_each_pair(pair: Pair, mode: Mode) -> None:
    earlier, new = pair.texts
    found = incompatibilities(mode, new, [(1, earlier)])
    assert (not found) == expected(pair, mode), [str(one) for one in found]


@PAIR
def test_a_finding_says_where_it_lies(pair: Pair) -> None:
    earlier, new = pair.texts
    found = [one.finding for one in incompatibilities(Mode.FULL, new, [(1, earlier)])]
    # A field that is renamed is missed on either side, each time by its own name.
    renamed = {"/amount", "/total"} if "a field renamed" in pair.name else set()
    assert {one.path for one in found} <= {pair.path} | renamed


V1 = record(("id", "long"))
V2 = record(("id", "long"), ("note", "string", ""))
V3 = record(("id", "long"), ("note", "string"))

HISTORIES = {
    # The new schema reads version 2, whose note is there, but not version 1, which has none.
    "a default that goes after a version": (
        [V1, V2],
        V3,
        {Mode.BACKWARD_TRANSITIVE: [1], Mode.FULL_TRANSITIVE: [1]},
    ),
    # Version 2 reads without the note by its default; version 1 cannot.
    "a field that goes after it got a default": (
        [V3, V2],
        V1,
        {Mode.FORWARD_TRANSITIVE: [1], Mode.FULL_TRANSITIVE: [1]},
    ),
    "a symbol that comes back": (
        [enum("A", "B"), enum("A", default="A")],
        enum("A", "B", "C"),
        {Mode.FORWARD_TRANSITIVE: [1], Mode.FULL_TRANSITIVE: [1]},
    ),
    "a first version": ([], V3, {}),
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", HISTORIES)
def test_transitive_modes_look_at_all_versions_and_the_others_at_the_newest(
    name: str, mode: Mode
) -> None:
    earlier, new, broken = HISTORIES[name]
    versions = [(number, json.dumps(one)) for number, one in enumerate(earlier, start=1)]
    found = incompatibilities(mode, json.dumps(new), versions)
    assert sorted({one.version for one in found}) == broken.get(mode, [])


def test_every_finding_is_told_with_its_own_place() -> None:
    earlier = record(("a", "long"), ("b", {"type": "array", "items": "string"}), ("c", "int"))
    new = record(("a", "int"), ("b", {"type": "array", "items": "int"}), ("d", "int"))
    found = incompatibilities(Mode.BACKWARD, json.dumps(new), [(4, json.dumps(earlier))])
    assert [str(one) for one in found] == [
        "The new schema cannot read version 4: at /a the reader's int cannot read the writer's"
        " long.",
        "The new schema cannot read version 4: at /b/items the reader's int cannot read the"
        " writer's string.",
        "The new schema cannot read version 4: at /d the writer lacks the field, and the reader"
        " has no default for it.",
    ]


SAMPLES: dict[str, Any] = {
    "a field with a default added": {"id": 1},
    "a field renamed with an alias": {"amount": 7},
    "int to double": 7,
    "string and bytes": "x",
    "a symbol removed and a default added": "SHUT",
    "null allowed": "x",
    "a branch promoted": 7,
    "a union read by a wider type": 7,
    "another namespace": {"id": 1},
    "a symbol removed": "SHUT",
    "an optional field becomes required": {"a": None},
    "a field without a default added": {"id": 1},
    "a fixed of another size": b"x" * 16,
    "int and string": 7,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_another_implementation_reads_what_is_said_to_be_readable(name: str) -> None:
    pair = next(pair for pair in PAIRS if pair.name == name)
    wire = BytesIO()
    fastavro.schemaless_writer(wire, pair.earlier, SAMPLES[name])
    wire.seek(0)
    try:
        fastavro.schemaless_reader(wire, pair.earlier, pair.new)
        readable = True
    except (fastavro.schema.SchemaParseException, fastavro.read.SchemaResolutionError, ValueError):
        readable = False
    assert readable is pair.new_reads_earlier


INVALID = {
    "no JSON": "{",
    "a number": "3",
    "an unknown type": '"sting"',
    "no name": '{"type": "record", "fields": []}',
    "fields that are none": '{"type": "record", "name": "A", "fields": 3}',
    "a field twice": json.dumps(record(("a", "int"), ("a", "int"))),
    "a type twice in a union": '["int", "int"]',
    "an alien default": json.dumps(record(("a", "int", "none"))),
    "a default of null that no branch takes": json.dumps(record(("a", ["int", "string"], None))),
    "a default too large": json.dumps(record(("a", "int", 1 << 31))),
    "true for a number": json.dumps(record(("a", "int", True))),
    "an enum's default that is no symbol": json.dumps(enum("A", default="B")),
    "an error of a protocol": json.dumps(record(("a", "int")) | {"type": "error"}),
    "ten thousand deep": '{"type":"array","items":' * 10_000 + '"int"' + "}" * 10_000,
    "half a character": '{"type": "enum", "name": "A", "symbols": ["A"], "doc": "\\ud800"}',
    "a name that is none": '{"type": "enum", "name": "a b", "symbols": ["A"]}',
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_what_is_no_schema_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidSchema, match=r"\.$|not an Avro schema: "):
        parse(text)


VALID = {
    "a default of null behind another branch": record(("a", ["string", "null"], None)),
    "a default of a record": record(("a", record(("b", "int"), name="B"), {"b": 1})),
    "a default of a list": record(("a", {"type": "array", "items": "int"}, [1, 2])),
    "a default of bytes": record(("a", "bytes", "\u00ff")),
    "a default of a double": record(("a", "double", 1)),
}


@pytest.mark.parametrize("schema", VALID.values(), ids=VALID)
def test_defaults_that_fit_are_taken(schema: Any) -> None:
    parse(json.dumps(schema))


def test_schemas_that_say_the_same_have_one_normal_text() -> None:
    one = '{"type":"record","name":"A","namespace":"n","fields":[{"name":"a","type":"n.B"}]}'
    two = '{"name":"n.A","fields":[{"type":{"type":"B"},"name":"a"}],"type":"record"}'
    assert normal_text(read_json(one)) == normal_text(read_json(two))
    told = one.replace('"fields"', '"doc":"An A.","fields"')
    assert normal_text(read_json(told)) != normal_text(read_json(one))
    assert meaning(read_json(told)) == meaning(read_json(one))
