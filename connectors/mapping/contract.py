"""What a document type may hold, read from its Avro contract, and values turned into its types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping.operators.numbers import parse_decimal
from connectors.mapping.operators.tests import parse_bool
from connectors.mapping.operators.times import parse_day, parse_instant
from connectors.mapping.values import Refusal, as_text, shown
from schemas.catalogue import DOCUMENTS
from schemas.closed_sets import CLOSED_SETS

#: The connector sets these itself.
HEADER = frozenset({"version", "source", "id"})
#: The connector sets these where the mapping does not.
FILLED = HEADER | {"occurred_at"}

_LOGICAL = {"timestamp-micros": "instant", "date": "date", "decimal": "decimal"}

Coercion = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class FieldType:
    """One field: its kind (``text``, ``decimal`` …), and its own fields if it is a record.

    ``many`` says that the field is a list of these, ``allowed`` which words alone it may hold.
    """

    kind: str
    optional: bool
    many: bool = False
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()

    @property
    def is_reference(self) -> bool:
        """Whether it names another document."""
        return set(self.fields) == {"source", "id"}


@cache
def contract_of(document: str) -> Mapping[str, FieldType]:
    """The fields of a document type, by name.

    Raises:
        KeyError: there is no such document type.
    """
    schema = DOCUMENTS[document].schema
    return {
        name: replace(wanted, allowed=tuple(sorted(CLOSED_SETS.get((document, name), ()))))
        for name, wanted in _fields(schema, {}).items()
    }


def document_types() -> list[str]:
    """The document types that a mapping can emit."""
    return sorted(name for name, topic in DOCUMENTS.items() if topic.kind == "event")


def in_words(name: str, wanted: FieldType) -> str:
    """What the field ``name`` holds, for people."""
    if wanted.allowed:
        return f"one of {', '.join(wanted.allowed)}"
    if wanted.kind == "text" and name in ("currency", "base"):
        return "an ISO 4217 code such as EUR"
    if wanted.is_reference:
        one, several = "a reference to a document", "references to documents"
    else:
        one, several = _WORDS[wanted.kind]
    return f"a list of {several}" if wanted.many else one


_WORDS = {
    "text": ("a text", "texts"),
    "bool": ("true or false", "true or false"),
    "integer": ("a whole number", "whole numbers"),
    "decimal": ("a decimal number", "decimal numbers"),
    "date": ("a date", "dates"),
    "instant": ("an instant", "instants"),
    "record": ("a record", "records"),
}


def _fields(schema: Mapping[str, Any], named: dict[str, Any]) -> dict[str, FieldType]:
    return {
        entry["name"]: _type(entry["type"], named, "default" in entry) for entry in schema["fields"]
    }


def _type(schema: Any, named: dict[str, Any], optional: bool) -> FieldType:
    if isinstance(schema, list):
        (only,) = [branch for branch in schema if branch != "null"]
        return _type(only, named, True)
    if isinstance(schema, str):
        schema = named.get(schema.rpartition(".")[2], schema)
    if isinstance(schema, str):
        kinds = {"string": "text", "boolean": "bool", "int": "integer", "long": "integer"}
        return FieldType(kinds[schema], optional)
    if "logicalType" in schema:
        return FieldType(_LOGICAL[schema["logicalType"]], optional)
    if schema["type"] == "array":
        item = _type(schema["items"], named, False)
        return FieldType(item.kind, optional, True, item.fields)
    if schema["type"] == "record":
        named[schema["name"].rpartition(".")[2]] = schema
        return FieldType("record", optional, False, _fields(schema, named))
    return _type(schema["type"], named, optional)


def coercion(wanted: FieldType, zone: ZoneInfo) -> Coercion:
    """A function that turns a mapped value into the field's type, or refuses it."""
    if wanted.many:
        return _listed(coercion(FieldType(wanted.kind, False, False, wanted.fields), zone))
    return {
        "text": _text,
        "bool": lambda value: None if value is None else parse_bool(value),
        "integer": _integer,
        "decimal": parse_decimal,
        "date": lambda value: value if value.__class__ is date else parse_day(value, zone),
        "instant": lambda value: parse_instant(value, zone),
        "record": _record,
    }[wanted.kind]


def _text(value: Any) -> Any:
    if value is None or value.__class__ is str:
        return value
    if isinstance(value, dict | list):
        raise Refusal("not_a_text", f"{shown(value)} is no single value")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return as_text(value)


def _integer(value: Any) -> int | None:
    if value is None or value.__class__ is int:
        return value
    number = parse_decimal(value)
    if number is None or number != number.to_integral_value():
        raise Refusal("not_whole", f"{shown(value)} is no whole number")
    return int(number)


def _record(value: Any) -> Any:
    if value is None or isinstance(value, dict):
        return value
    raise Refusal("not_a_record", f"{shown(value)} stands where {{…}} belongs")


def _listed(each: Coercion) -> Coercion:
    def convert(value: Any) -> list[Any]:
        several = value if isinstance(value, list) else [] if value is None else [value]
        return [each(one) for one in several]

    return convert


__all__ = [
    "FILLED",
    "HEADER",
    "Coercion",
    "FieldType",
    "coercion",
    "contract_of",
    "document_types",
    "in_words",
]
