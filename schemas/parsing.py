"""Reads Avro schemas with Apache's parser, and refuses what that one lets pass."""

from __future__ import annotations

from typing import Any, cast

import avro.schema
from avro.errors import AvroException

from schemas.canonical import InvalidSchema, Json, in_full, read_json, same_text

#: What a schema's logical type is kept under, once the parser no longer has to understand it.
LOGICAL = "headrace.logical"

_UNITS = {
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    *(
        ("long", f"{local}timestamp-{unit}")
        for local in ("", "local-")
        for unit in ("millis", "micros", "nanos")
    ),
}


def parse(text: str) -> avro.schema.Schema:
    """Return the schema for comparing: names in full, logical types as the property ``LOGICAL``.

    Raises:
        InvalidSchema: the text is no Avro schema, or a default does not fit its field.
    """
    prepared = same_text(_prepared(in_full(read_json(text))))
    try:
        # Half a character (a lone surrogate) can stand in JSON, but nowhere else.
        prepared.encode()
        schema = avro.schema.parse(prepared)
    except AvroException as error:
        raise InvalidSchema(f"This is not an Avro schema: {error}") from error
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        # The package checks few shapes before it uses them: "fields": 3, for example.
        raise InvalidSchema(f"This is not an Avro schema: {error!r}") from error
    except RecursionError:
        raise InvalidSchema("The schema is nested too deeply.") from None
    _check_defaults(schema, set())
    return schema


def _prepared(schema: Json) -> Json:
    """The package warns of logical types that it does not know, and it knows few: they are kept
    as a property of ours instead. Those that the specification lets a reader ignore are left out.
    """
    if isinstance(schema, list):
        return [_prepared(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("error", "error_union", "request"):
        raise InvalidSchema(f"The type {schema['type']!r} belongs to protocols, not to schemas.")
    told = {key: value for key, value in schema.items() if key != "logicalType"}
    logical = _logical(schema)
    if logical is not None:
        told[LOGICAL] = logical
    for inner in ("items", "values"):
        if inner in told:
            told[inner] = _prepared(told[inner])
    if isinstance(told.get("fields"), list):
        told["fields"] = [
            {**field, "type": _prepared(field["type"])}
            if isinstance(field, dict) and "type" in field
            else field
            for field in told["fields"]
        ]
    return told


def _logical(schema: dict[str, Json]) -> str | None:
    """Return what a value means beyond its type, if a reader has to know: scale and unit."""
    kind, logical = schema.get("type"), schema.get("logicalType")
    if (kind, logical) in _UNITS:
        return str(logical)
    if logical != "decimal" or kind not in ("bytes", "fixed"):
        return None
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    whole = isinstance(precision, int) and isinstance(scale, int)
    return f"decimal({precision}, {scale})" if whole and 0 <= scale <= precision else None


def _check_defaults(schema: Any, seen: set[int]) -> None:
    """Refuse defaults that do not fit (the package takes any)."""
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.type == "record":
        for field in schema.fields:
            if field.has_default and not _fits(field.default, field.type):
                raise InvalidSchema(
                    f"The default {field.default!r} of the field {schema.fullname}.{field.name}"
                    " does not fit its type."
                )
            _check_defaults(field.type, seen)
    elif schema.type == "union":
        for branch in schema.schemas:
            _check_defaults(branch, seen)
    elif schema.type in ("array", "map"):
        _check_defaults(schema.items if schema.type == "array" else schema.values, seen)


def _fits(value: Json, schema: Any) -> bool:
    """Whether a default fits, by the table of the specification; any branch of a union will do."""
    kind = cast(str, schema.type)
    if kind == "union":
        return any(_fits(value, branch) for branch in schema.schemas)
    if kind in ("int", "long"):
        bits = 31 if kind == "int" else 63
        return type(value) is int and -(1 << bits) <= value < 1 << bits
    if kind in ("float", "double"):
        return type(value) in (int, float)
    if kind in ("bytes", "fixed"):
        text = isinstance(value, str) and all(ord(sign) < 256 for sign in value)
        return text and (kind == "bytes" or len(value) == schema.size)
    if kind == "enum":
        return value in schema.symbols
    if kind == "array":
        return isinstance(value, list) and all(_fits(one, schema.items) for one in value)
    if not isinstance(value, dict):
        return {"null": value is None, "boolean": isinstance(value, bool)}.get(
            kind, kind == "string" and isinstance(value, str)
        )
    if kind == "map":
        return all(_fits(one, schema.values) for one in value.values())
    return kind == "record" and all(
        _fits(value[field.name], field.type) if field.name in value else field.has_default
        for field in schema.fields
    )
