"""Pairs of schemas, and which of the two can read the other: Avro 1.12's rules, one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """An earlier and a new schema; ``path`` is where the first finding lies, if there is one."""

    name: str
    earlier: Any
    new: Any
    new_reads_earlier: bool
    earlier_reads_new: bool
    path: str = "/"

    @property
    def texts(self) -> tuple[str, str]:
        """The earlier and the new schema as text."""
        return json.dumps(self.earlier), json.dumps(self.new)


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    """A record of fields given as (name, type) or (name, type, default)."""
    told = [
        dict(zip(("name", "type", "default"), field, strict=False))
        if isinstance(field, tuple)
        else field
        for field in fields
    ]
    return {"type": "record", "name": "Order", "namespace": "shop", "fields": told} | more


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    """An enum."""
    return {"type": "enum", "name": "State", "symbols": list(symbols)} | more


def fixed(size: int, name: str = "Hash", **more: Any) -> dict[str, Any]:
    """A fixed."""
    return {"type": "fixed", "name": name, "size": size} | more


def decimal(precision: int, scale: int) -> dict[str, Any]:
    """A decimal in bytes."""
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def unit(kind: str, logical: str) -> dict[str, Any]:
    """A type with a logical type."""
    return {"type": kind, "logicalType": logical}


ID = ("id", "long")
LINE = {"type": "record", "name": "Line", "fields": [{"name": "quantity", "type": "int"}]}
LONG_LINE = {"type": "record", "name": "Line", "fields": [{"name": "quantity", "type": "long"}]}
TREE = record(ID, ("below", ["null", "Order"], None))

PAIRS = [
    # Records: fields come and go by their defaults.
    Pair("the same", record(ID), record(ID), True, True),
    Pair(
        "a field with a default added", record(ID), record(ID, ("note", "string", "")), True, True
    ),
    Pair(
        "an optional field added",
        record(ID),
        record(ID, ("note", ["null", "string"], None)),
        True,
        True,
    ),
    Pair(
        "a field without a default added",
        record(ID),
        record(ID, ("note", "string")),
        False,
        True,
        "/note",
    ),
    Pair(
        "an optional field without a default added",
        record(ID),
        record(ID, ("note", ["null", "string"])),
        False,
        True,
        "/note",
    ),
    Pair(
        "a field without a default removed",
        record(ID, ("note", "string")),
        record(ID),
        True,
        False,
        "/note",
    ),
    Pair(
        "a field with a default removed", record(ID, ("note", "string", "")), record(ID), True, True
    ),
    Pair("fields in another order", record(ID, ("a", "int")), record(("a", "int"), ID), True, True),
    Pair("a default changed", record(("a", "int", 1)), record(("a", "int", 2)), True, True),
    Pair("a default removed", record(("a", "int", 1)), record(("a", "int")), True, True),
    Pair(
        "a field renamed without an alias",
        record(("amount", "int")),
        record(("total", "int")),
        False,
        False,
        "/total",
    ),
    Pair(
        "a field renamed with an alias",
        record(("amount", "int")),
        record({"name": "total", "type": "int", "aliases": ["amount"]}),
        True,
        False,
        "/amount",
    ),
    Pair("a doc changed", record(ID, doc="one"), record(ID, doc="two"), True, True),
    # Names: the last part counts; an alias helps the reader that has it.
    Pair("a record renamed", record(ID), record(ID, name="Sale"), False, False),
    Pair(
        "a record renamed with an alias in its own namespace",
        record(ID),
        record(ID, name="Sale", aliases=["Order"]),
        True,
        False,
    ),
    Pair(
        "a record renamed with an alias in full",
        record(ID),
        record(ID, name="Sale", aliases=["shop.Order"]),
        True,
        False,
    ),
    Pair("another namespace", record(ID), record(ID, namespace="plant"), True, True),
    Pair(
        "the namespace within the name",
        record(ID),
        {"type": "record", "name": "shop.Order", "fields": [{"name": "id", "type": "long"}]},
        True,
        True,
    ),
    # Promotions go one way.
    Pair("int to long", "int", "long", True, False),
    Pair("int to float", "int", "float", True, False),
    Pair("int to double", "int", "double", True, False),
    Pair("long to float", "long", "float", True, False),
    Pair("long to double", "long", "double", True, False),
    Pair("float to double", "float", "double", True, False),
    Pair("string and bytes", "string", "bytes", True, True),
    Pair("int and string", "int", "string", False, False),
    Pair("int and boolean", "int", "boolean", False, False),
    Pair("long and bytes", "long", "bytes", False, False),
    Pair("null and int", "null", "int", False, False),
    Pair(
        "a long shortened within a list",
        record(("lines", {"type": "array", "items": LONG_LINE})),
        record(("lines", {"type": "array", "items": LINE})),
        False,
        True,
        "/lines/items/quantity",
    ),
    Pair(
        "the values of a map widened",
        {"type": "map", "values": "int"},
        {"type": "map", "values": "double"},
        True,
        False,
        "/values",
    ),
    Pair(
        "a list and a map",
        {"type": "array", "items": "int"},
        {"type": "map", "values": "int"},
        False,
        False,
    ),
    Pair("a record and a string", record(ID), "string", False, False),
    # Enums: the reader needs every symbol of the writer, or a default.
    Pair("a symbol added", enum("OPEN"), enum("OPEN", "SHUT"), True, False),
    Pair("a symbol removed", enum("OPEN", "SHUT"), enum("OPEN"), False, True),
    Pair("symbols in another order", enum("A", "B"), enum("B", "A"), True, True),
    Pair(
        "a symbol added where both have a default",
        enum("OPEN", default="OPEN"),
        enum("OPEN", "SHUT", default="OPEN"),
        True,
        True,
    ),
    Pair(
        "a symbol removed and a default added",
        enum("OPEN", "SHUT"),
        enum("OPEN", default="OPEN"),
        True,
        True,
    ),
    Pair("an enum renamed", enum("A"), enum("A", name="Phase"), False, False),
    Pair(
        "an enum field with a default among its symbols only",
        record(ID),
        record(ID, ("state", enum("OPEN", default="OPEN"))),
        False,
        True,
        "/state",
    ),
    Pair(
        "an enum field with a default of the field",
        record(ID),
        record(ID, ("state", enum("OPEN"), "OPEN")),
        True,
        True,
    ),
    Pair("an enum and a string", enum("A"), "string", False, False),
    # Fixed: size and name.
    Pair("a fixed of another size", fixed(16), fixed(32), False, False),
    Pair("a fixed renamed", fixed(16), fixed(16, "Digest"), False, False),
    Pair("a fixed and bytes", fixed(16), "bytes", False, False),
    # Unions: each branch of the writer needs one of the reader.
    Pair("null allowed", "string", ["null", "string"], True, False),
    Pair("a branch added", ["null", "int"], ["null", "int", "string"], True, False),
    Pair("a branch promoted", ["null", "int"], ["null", "long"], True, False),
    Pair("branches in another order", ["null", "int"], ["int", "null"], True, True),
    Pair("a union of one", "int", ["int"], True, True),
    Pair("a union read by a wider type", ["int", "long"], "double", True, False),
    Pair(
        "a record in a union gains a field without a default",
        ["null", record(ID)],
        ["null", record(ID, ("a", "int"))],
        False,
        True,
        "/a",
    ),
    Pair(
        "a record in a union gains a field with a default",
        record(("of", ["null", record(ID, name="Inner")], None)),
        record(("of", ["null", record(ID, ("a", "int", 0), name="Inner")], None)),
        True,
        True,
    ),
    Pair(
        "an optional field becomes required",
        record(("a", ["null", "int"], None)),
        record(("a", "int")),
        False,
        True,
        "/a",
    ),
    # Recursion ends.
    Pair(
        "a tree gains an optional field",
        TREE,
        record(ID, ("below", ["null", "Order"], None), ("note", ["null", "string"], None)),
        True,
        True,
    ),
    Pair(
        "a tree narrows",
        TREE,
        record(("id", "int"), ("below", ["null", "Order"], None)),
        False,
        True,
        "/id",
    ),
    # Logical types: decimals match by precision and scale, instants by unit (ours).
    Pair("the same decimal", decimal(38, 9), decimal(38, 9), True, True),
    Pair("another scale", decimal(38, 9), decimal(38, 2), False, False),
    Pair("another precision", decimal(38, 9), decimal(20, 9), False, False),
    Pair(
        "a decimal in a fixed with another scale",
        fixed(16, logicalType="decimal", precision=38, scale=9),
        fixed(16, logicalType="decimal", precision=38, scale=2),
        False,
        False,
    ),
    Pair("a decimal read as bytes", decimal(38, 9), "bytes", True, True),
    Pair("a decimal that is none", {**decimal(2, 9)}, {**decimal(2, 8)}, True, True),
    Pair(
        "another unit of an instant",
        unit("long", "timestamp-micros"),
        unit("long", "timestamp-millis"),
        False,
        False,
    ),
    Pair(
        "a date read as an instant",
        unit("int", "date"),
        unit("long", "timestamp-millis"),
        False,
        False,
    ),
    Pair("a date read as a number", unit("int", "date"), "int", True, True),
    Pair(
        "a logical type that nobody knows", unit("int", "mood"), unit("int", "weather"), True, True
    ),
    Pair(
        "another scale in an optional field",
        record(("a", ["null", decimal(38, 9)], None)),
        record(("a", ["null", decimal(38, 2)], None)),
        False,
        False,
        "/a",
    ),
]
