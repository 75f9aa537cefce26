"""Reads documents from plain JSON values, as the golden examples hold them: see ``to_plain``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.catalogue import Topic
from schemas.codec import Document, Unencodable


def from_plain(topic: Topic, plain: Mapping[str, Any]) -> Document:
    """Return the document that ``plain`` describes, with the contract's defaults filled in.

    Raises ``Unencodable``, naming the field, where a value is missing, unknown or of a wrong type.
    """
    return _Reader(topic.schema).record(topic.schema, plain, topic.document)


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("a decimal is a number")
    return value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return instant.astimezone(UTC)


_SCALARS: Mapping[str, tuple[type, Callable[[Any], Any]]] = {
    "string": (str, str),
    "boolean": (bool, bool),
    "int": (int, int),
    "long": (int, int),
    "decimal": (str, _decimal),
    "date": (str, date.fromisoformat),
    "timestamp-micros": (str, _instant),
}


class _Reader:
    """Walks a contract and a plain value together."""

    def __init__(self, contract: Mapping[str, Any]) -> None:
        self.records: dict[str, Mapping[str, Any]] = {}
        self.name_records(contract)

    def name_records(self, schema: Any) -> None:
        """Keep every record defined in ``schema``: it is defined once and then named."""
        if isinstance(schema, list):
            self.name_records(schema[1])
        elif isinstance(schema, Mapping) and schema["type"] == "record":
            self.records[f"headrace.{schema['name']}"] = schema
            for field in schema["fields"]:
                self.name_records(field["type"])
        elif isinstance(schema, Mapping) and schema["type"] == "array":
            self.name_records(schema["items"])

    def record(self, schema: Mapping[str, Any], plain: Any, place: str) -> Document:
        if not isinstance(plain, Mapping):
            raise Unencodable(f"{place} is {plain!r}, not a {schema['name']}.")
        fields = {field["name"]: field for field in schema["fields"]}
        if unknown := sorted(set(plain) - set(fields)):
            raise Unencodable(f"{place} has no field {unknown[0]!r}.")
        document = {}
        for name, field in fields.items():
            if name not in plain and "default" not in field:
                raise Unencodable(f"{place}.{name} is missing.")
            given = plain[name] if name in plain else field["default"]
            document[name] = self.value(field["type"], given, f"{place}.{name}")
        return document

    def value(self, schema: Any, plain: Any, place: str) -> Any:
        if isinstance(schema, list):
            return None if plain is None else self.value(schema[1], plain, place)
        if isinstance(schema, str) and schema in self.records:
            return self.record(self.records[schema], plain, place)
        kind = schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
        if kind == "record":
            return self.record(schema, plain, place)
        if kind == "array":
            if not isinstance(plain, list):
                raise Unencodable(f"{place} is {plain!r}, not a list.")
            return [self.value(schema["items"], item, f"{place}[]") for item in plain]
        return _scalar(kind, plain, place)


def _scalar(kind: str, plain: Any, place: str) -> Any:
    expected, convert = _SCALARS[kind]
    if not isinstance(plain, expected) or (expected is int and isinstance(plain, bool)):
        raise Unencodable(f"{place} is {plain!r}, not a {kind}.")
    try:
        return convert(plain)
    except (ValueError, InvalidOperation) as error:
        raise Unencodable(f"{place} is {plain!r}, not a {kind}.") from error
