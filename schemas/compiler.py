"""Turns a contract into a Python function that reads one Avro body strictly and fast.

The function is straight-line code without a call for most fields. That takes about a third of
fastavro's time, and it refuses what fastavro lets pass: numbers that overflow, booleans other
than 0 and 1, decimals that would have to be rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.primitives import read_decimal
from schemas.snippets import ARRAY_ITEM_END, ARRAY_START, PLAIN, SCOPE

Reader = Callable[[bytes, int], tuple[dict[str, Any], int, int]]

#: How a default stands in JSON, for the types whose values JSON does not have.
DEFAULTS: Mapping[str, Callable[[Any], Any]] = {
    "date": lambda days: date(1970, 1, 1) + timedelta(days),
    "timestamp-micros": lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, micros),
    "decimal": lambda text: read_decimal(text.encode("latin-1"), 0),
}


def compile_reader(contract: Mapping[str, Any], writer: Mapping[str, Any] | None = None) -> Reader:
    """Return the function that reads a body into a document of ``contract``, a record.

    It takes the message and the offset of the body, and returns the document, the offset behind
    the first field, and the offset behind the last, which lies outside the message where the last
    value is cut off. It raises ``Malformed``, ``IndexError`` where the message ends too early, or
    ``UnicodeDecodeError``. It knows the types that our contracts use: records, arrays, unions of
    null and one type, strings, ints, longs, booleans, dates, instants and decimals.

    Args:
        contract: what the document has: fields that were not written take their defaults.
        writer: the contract that the body was written with, by default the same one. What only
            this one has is read as strictly, and dropped.

    Raises:
        ValueError: the contracts use another type, or a field has not the same one in both.
    """
    wanted = in_place(contract, {})["fields"]
    written = wanted if writer is None else in_place(writer, {})["fields"]
    code = _Code()
    items = code.fields(wanted, written, 1, "first = p")
    document = "{" + ", ".join(items) + "}"
    text = "\n".join(["def read(b, p):", *code.lines, f"    return {document}, first, p"])
    scope = {**SCOPE, **code.constants}
    exec(compile(text, f"<contract {contract['name']}>", "exec"), scope)
    reader: Reader = scope["read"]
    return reader


def in_place(schema: Any, records: dict[str, Any]) -> Any:
    """Return a schema in which each record stands wherever it is named; none contains itself."""
    if isinstance(schema, list):
        return [in_place(branch, records) for branch in schema]
    if isinstance(schema, str):
        return records.get(schema, schema)
    if schema["type"] == "array":
        return {**schema, "items": in_place(schema["items"], records)}
    if schema["type"] != "record":
        return schema
    fields = [{**field, "type": in_place(field["type"], records)} for field in schema["fields"]]
    records[f"headrace.{schema['name']}"] = record = {**schema, "fields": fields}
    return record


def _type(schema: Any) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema if isinstance(schema, str) else schema["type"])


def kind_of(schema: Any) -> str:
    """Return the type of a schema that is no union; what a number or bytes stand for goes first."""
    return str(schema if isinstance(schema, str) else schema.get("logicalType", schema["type"]))


class _Code:
    """The lines of the function; each method adds those that read a value and names its holder.

    ``wanted`` is what the value is in the document, ``written`` what it is in the body.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.holders = 0

    def add(self, depth: int, text: str, names: Mapping[str, str] | None = None) -> None:
        for placeholder, name in (names or {}).items():
            text = text.replace(placeholder, name)
        self.lines += ["    " * depth + line for line in text.strip("\n").split("\n")]

    def holder(self) -> str:
        self.holders += 1
        return f"v{self.holders}"

    def value(self, wanted: Any, written: Any, depth: int) -> str:
        kind = _type(written)
        if kind != _type(wanted):
            raise ValueError(f"A value of type {kind} cannot be read as {_type(wanted)}.")
        if kind == "union":
            return self.optional(wanted, written, depth)
        if kind == "record":
            return "{" + ", ".join(self.fields(wanted["fields"], written["fields"], depth)) + "}"
        if kind == "array":
            return self.array(wanted["items"], written["items"], depth)
        return self.plain(kind_of(wanted), depth)

    def fields(
        self,
        wanted: Sequence[Mapping[str, Any]],
        written: Sequence[Mapping[str, Any]],
        depth: int,
        behind_the_first: str = "",
    ) -> list[str]:
        names = {field["name"] for field in written}
        sources = [(_name_in(names, field), field) for field in wanted]
        types = {name: field["type"] for name, field in sources}
        held = {}
        for number, field in enumerate(written):
            name, kept = field["name"], field["type"]
            held[name] = self.value(types.get(name, kept), kept, depth)
            if number == 0 and behind_the_first:
                self.add(depth, behind_the_first)
        return [
            f"{field['name']!r}: {self.default(field) if name is None else held[name]}"
            for name, field in sources
        ]

    def default(self, field: Mapping[str, Any]) -> str:
        if "default" not in field:
            raise ValueError(f"The field {field['name']} was not written and has no default.")
        return self.constant(field["type"], field["default"])

    def constant(self, schema: Any, value: Any) -> str:
        """Return the expression for a default: a new list or record for each document."""
        if isinstance(schema, list):
            return "None" if value is None else self.constant(schema[1], value)
        kind = kind_of(schema)
        if kind == "array":
            return "[" + ", ".join(self.constant(schema["items"], one) for one in value) + "]"
        if kind == "record":
            parts = (
                f"{field['name']!r}: {self.default({**field, **_given(value, field['name'])})}"
                for field in schema["fields"]
            )
            return "{" + ", ".join(parts) + "}"
        name = f"c{len(self.constants) + 1}"
        self.constants[name] = DEFAULTS[kind](value) if kind in DEFAULTS else value
        return name

    def optional(self, wanted: list[Any], written: list[Any], depth: int) -> str:
        for branches in (wanted, written):
            if len(branches) != 2 or branches[0] != "null":
                raise ValueError(f"A union in a contract is of null and one type, not {branches}.")
        held = self.holder()
        self.add(depth, f"n = b[p]\np += 1\nif n == 0:\n    {held} = None\nelif n == 2:")
        self.add(depth + 1, f"{held} = {self.value(wanted[1], written[1], depth + 1)}")
        self.add(depth, "else:\n    raise Malformed('a branch that the union has not', p - 1)")
        return held

    def array(self, wanted: Any, written: Any, depth: int) -> str:
        held, left, end = self.holder(), self.holder(), self.holder()
        names = {"HELD": held, "LEFT": left, "END": end}
        self.add(depth, ARRAY_START, names)
        self.add(depth + 1, f"{held}.append({self.value(wanted, written, depth + 1)})")
        self.add(depth + 1, ARRAY_ITEM_END, names)
        return held

    def plain(self, kind: str, depth: int) -> str:
        if kind not in PLAIN:
            raise ValueError(f"No contract may have the type {kind}.")
        held = self.holder()
        self.add(depth, PLAIN[kind], {"HELD": held})
        return held


def _name_in(names: Collection[str], field: Mapping[str, Any]) -> str | None:
    """Return the name that a field was written with, its own or an alias; None if it was not."""
    return next((one for one in (field["name"], *field.get("aliases", ())) if one in names), None)


def _given(default: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A record's default may leave out fields that have one of their own."""
    return {"default": default[name]} if name in default else {}
