"""Avro schemas as JSON with every name in full, so that schemas that say the same are equal."""

from __future__ import annotations

import json
from typing import Any

Json = Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "enum", "fixed"})


class InvalidSchema(ValueError):
    """The text is not an Avro schema; the message says where and why."""


def read_json(text: str) -> Json:
    """Return the JSON of a schema's text; raise ``InvalidSchema`` if it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidSchema(f"The schema is not JSON: {error}.") from error
    except RecursionError:
        raise InvalidSchema("The schema is nested too deeply.") from None


def same_text(schema: Json) -> str:
    """Return one text for one schema, whatever its spaces and the order of its keys."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def normal_text(schema: Json) -> str:
    """Return one text for one schema, whatever way its names and simple types were written."""
    return same_text(in_full(schema))


def meaning(schema: Json) -> str:
    """Return one text for all schemas that differ in nothing but how they are written and told."""
    return same_text(_without_docs(in_full(schema)))


def full_name(schema: Json) -> str | None:
    """Return the name of a named type with its namespace; None if it has no name."""
    if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
        return None
    return _qualified(schema["name"], _namespace(schema, ""))


def in_full(schema: Json, namespace: str = "") -> Json:
    """Return the schema with names, aliases and references in full; ``{"type": "x"}`` is ``"x"``.

    What is no schema is returned as it is: to refuse it is the parser's part.
    """
    if isinstance(schema, str):
        return schema if schema in PRIMITIVES else _qualified(schema, namespace)
    if isinstance(schema, list):
        return [in_full(branch, namespace) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if set(schema) == {"type"} and isinstance(schema["type"], str):
        return in_full(schema["type"], namespace)
    told = dict(schema)
    if schema.get("type") in NAMED and isinstance(schema.get("name"), str):
        namespace = _namespace(schema, namespace)
        told.pop("namespace", None)
        told["name"] = _qualified(schema["name"], namespace)
        if isinstance(schema.get("aliases"), list):
            told["aliases"] = [_qualified(str(alias), namespace) for alias in schema["aliases"]]
    for inner in ("items", "values"):
        if inner in schema:
            told[inner] = in_full(schema[inner], namespace)
    if isinstance(schema.get("fields"), list):
        told["fields"] = [_field(field, namespace) for field in schema["fields"]]
    return told


def _field(field: Json, namespace: str) -> Json:
    if not isinstance(field, dict) or "type" not in field:
        return field
    return {**field, "type": in_full(field["type"], namespace)}


def _namespace(schema: dict[str, Json], enclosing: str) -> str:
    before, dot, _ = schema["name"].rpartition(".")
    return before if dot else str(schema.get("namespace", enclosing) or "")


def _qualified(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace and "." not in name else name


def _without_docs(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_without_docs(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: value for key, value in schema.items() if key != "doc"}
    for inner in ("items", "values", "type"):
        if inner in told:
            told[inner] = _without_docs(told[inner])
    if isinstance(told.get("fields"), list):
        told["fields"] = [_without_docs(field) for field in told["fields"]]
    return told
