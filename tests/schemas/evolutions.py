"""Later versions of a contract, changed at random in every way that FULL_TRANSITIVE allows."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.catalogue import Topic

#: By a word in their names the fields that a later version may add: type, default, its value.
ADDED: Mapping[str, tuple[Any, Any, Any]] = {
    "text": ("string", "straße", "straße"),
    "flag": ("boolean", True, True),
    "count": ("int", -7, -7),
    "size": ("long", 2**40, 2**40),
    "day": ({"type": "int", "logicalType": "date"}, 20_370, date(2025, 10, 9)),
    "instant": (
        {"type": "long", "logicalType": "timestamp-micros"},
        1_760_000_000_000_001,
        datetime(2025, 10, 9, 8, 53, 20, 1, tzinfo=UTC),
    ),
    "amount": (
        {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
        "\xff\x00",
        Decimal("-0.000000256"),
    ),
    "none": (["null", "string"], None, None),
    "texts": ({"type": "array", "items": "string"}, ["a", "b"], ["a", "b"]),
    "part": (
        [
            ("mood", "string", "good"),
            ("marks", {"type": "array", "items": "long"}, []),
            ("note", ["null", "string"], None),
        ],
        {"mood": "better"},
        {"mood": "better", "marks": [], "note": None},
    ),
}


def with_versions(topic: Topic, *versions: Mapping[str, Any]) -> Topic:
    """Return the topic as it is once these versions of its contract were released."""
    return dataclasses.replace(
        topic,
        schema=versions[-1],
        schema_id=topic.version_id(len(versions)),
        released=True,
        versions=versions,
    )


def grown(contract: Mapping[str, Any], *more: Any, without: str = "") -> Mapping[str, Any]:
    """Return a contract with more fields at its end, and without another one."""
    kept = [field for field in contract["fields"] if field["name"] != without]
    return {**contract, "fields": [*kept, *more]}


def evolved(rng: random.Random, contract: Mapping[str, Any], number: int) -> Any:
    """Return the version ``number`` of a contract; what is added has a name of its own."""
    names = (f"v{number}_{place}" for place in range(1_000))
    return _evolved(rng, json.loads(json.dumps(contract)), names, top=True)


def _evolved(rng: random.Random, schema: Any, names: Iterator[str], *, top: bool) -> Any:
    if isinstance(schema, list):
        return ["null", _evolved(rng, schema[1], names, top=False)]
    if isinstance(schema, str) or schema["type"] not in ("array", "record"):
        return schema
    if schema["type"] == "array":
        return {**schema, "items": _evolved(rng, schema["items"], names, top=False)}
    fields = []
    for place, field in enumerate(schema["fields"]):
        what = rng.randrange(6) if "default" in field else 0
        changed = dict(field)
        # A record that was added stays as its default has it.
        if not _is_part(field):
            changed["type"] = _evolved(rng, field["type"], names, top=False)
        if what == 1 and (is_plain(field["type"]) or _is_part(field)):
            continue
        if what == 2:
            changed["aliases"] = [field["name"], *field.get("aliases", ())]
            changed["name"] = f"renamed_{next(names)}_{field['name'].rpartition('_')[2]}"
        fields.append(changed)
        if rng.randrange(10) == 0 and (place or not top):
            fields.append(_added(rng, next(names)))
    fields.append(_added(rng, next(names)))
    return {**schema, "fields": _reordered(rng, fields, first_stays=top)}


def _added(rng: random.Random, name: str) -> dict[str, Any]:
    word = rng.choice(list(ADDED))
    kind, default, _ = ADDED[word]
    if word == "part":
        fields = [{"name": one, "type": kind, "default": none} for one, kind, none in kind]
        kind = {"type": "record", "name": f"Part_{name}", "fields": fields}
    return {"name": f"{name}_{word}", "type": kind, "default": default}


def _is_part(field: Mapping[str, Any]) -> bool:
    """Whether a field was added with a record of its own, which nothing else names."""
    return str(field["name"]).endswith("_part")


def is_plain(schema: Any) -> bool:
    """Whether no record is defined or named in a type: such fields may stand in any order."""
    if isinstance(schema, list):
        return is_plain(schema[1])
    if isinstance(schema, str):
        return "." not in schema
    if schema["type"] == "array":
        return is_plain(schema["items"])
    return bool(schema["type"] != "record")


def _reordered(
    rng: random.Random, fields: Sequence[dict[str, Any]], *, first_stays: bool
) -> list[dict[str, Any]]:
    plain = [
        place
        for place, field in enumerate(fields)
        if is_plain(field["type"]) and (place or not first_stays)
    ]
    ordered = list(fields)
    for place, other in zip(plain, rng.sample(plain, len(plain)), strict=True):
        ordered[place] = fields[other]
    return ordered


def projected(value: Any, written: Any, wanted: Any) -> Any:
    """Return a value of the type ``written`` as one of the type ``wanted``."""
    return _Projection(written, wanted).value(value, written, wanted)


class _Projection:
    def __init__(self, written: Any, wanted: Any) -> None:
        self.written, self.wanted = dict(_records(written)), dict(_records(wanted))

    def value(self, value: Any, written: Any, wanted: Any) -> Any:
        if value is None:
            return None
        if isinstance(written, list):
            return self.value(value, written[1], wanted[1])
        if isinstance(value, list):
            return [self.value(one, written["items"], wanted["items"]) for one in value]
        if not isinstance(value, dict):
            return value
        if isinstance(written, str):
            written, wanted = self.written[written], self.wanted[wanted]
        types = {field["name"]: field["type"] for field in written["fields"]}
        document = {}
        for field in wanted["fields"]:
            known = [name for name in (field["name"], *field.get("aliases", ())) if name in types]
            if known:
                document[field["name"]] = self.value(
                    value[known[0]], types[known[0]], field["type"]
                )
            else:
                document[field["name"]] = ADDED[field["name"].rpartition("_")[2]][2]
        return document


def _records(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, list):
        yield from _records(schema[1])
    elif isinstance(schema, dict) and schema["type"] == "array":
        yield from _records(schema["items"])
    elif isinstance(schema, dict) and schema["type"] == "record":
        yield f"headrace.{schema['name']}", schema
        for field in schema["fields"]:
            yield from _records(field["type"])
