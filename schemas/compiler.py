"""Turns a contract into a Python function that reads one Avro body strictly and fast.

The function is straight-line code without a call for most fields. That takes about a third of
fastavro's time, and it refuses what fastavro lets pass: numbers that overflow, booleans other
than 0 and 1, decimals that would have to be rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas import primitives

Reader = Callable[[bytes, int], tuple[dict[str, Any], int, int]]

_SCOPE: Mapping[str, Any] = {
    "Malformed": primitives.Malformed,
    "read_long": primitives.read_long,
    "read_int": primitives.read_int,
    "read_extent": primitives.read_extent,
    "read_block": primitives.read_block,
    "read_date": primitives.read_date,
    "read_instant": primitives.read_instant,
    "read_decimal": primitives.read_decimal,
    "known_date": primitives.DATES.get,
    "known_instant": primitives.INSTANTS.get,
    "known_decimal": primitives.DECIMALS.get,
}

# `b` is the message, `p` the place in it, `q` an end, `n` a number just read, HELD the value.
_PLAIN = {
    "string": """
n = b[p]
if n & 129:
    p, q = read_extent(b, p)
else:
    p += 1
    q = p + (n >> 1)
HELD = b[p:q].decode()
p = q""",
    "boolean": """
n = b[p]
if n > 1:
    raise Malformed("a boolean that is neither 0 nor 1", p)
HELD = n == 1
p += 1""",
    "int": """
n = b[p]
if n < 128:
    HELD = (n >> 1) ^ -(n & 1)
    p += 1
else:
    HELD, p = read_int(b, p)""",
    "long": """
HELD, p = read_long(b, p)""",
    "date": """
HELD = known_date(b[p:p + 3])
if HELD is None:
    HELD, p = read_date(b, p)
else:
    p += 3""",
    "timestamp-micros": """
HELD = known_instant(b[p:p + 8])
if HELD is None:
    HELD, p = read_instant(b, p)
else:
    p += 8""",
    "decimal": """
n = b[p]
if n & 129:
    raise Malformed("a decimal of more than 38 digits", p)
p += 1
q = p + (n >> 1)
HELD = known_decimal(b[p:q])
if HELD is None:
    HELD = read_decimal(b[p:q], p)
p = q""",
}

_ARRAY_START = """
HELD = []
LEFT = b[p]
END = -1
if LEFT & 129:
    LEFT, p, END = read_block(b, p)
else:
    LEFT >>= 1
    p += 1
while LEFT:"""
_ARRAY_ITEM_END = """
LEFT -= 1
if not LEFT:
    if END >= 0 and END != p:
        raise Malformed("a block whose size is not that of its items", p)
    if b[p]:
        LEFT, p, END = read_block(b, p)
    else:
        p += 1"""


def compile_reader(contract: Mapping[str, Any]) -> Reader:
    """Return the function that reads a body of ``contract``, a record.

    It takes the message and the offset of the body, and returns the document, the offset behind
    the first field, and the offset behind the last, which lies outside the message where the last
    value is cut off. It raises ``Malformed``, ``IndexError`` where the message ends too early, or
    ``UnicodeDecodeError``. It knows the types that our contracts use: records, arrays, unions of
    null and one type, strings, ints, longs, booleans, dates, instants and decimals.
    """
    code = _Code()
    items = code.fields(contract["fields"][:1], 1)
    code.add(1, "first = p")
    items += code.fields(contract["fields"][1:], 1)
    document = "{" + ", ".join(items) + "}"
    text = "\n".join(["def read(b, p):", *code.lines, f"    return {document}, first, p"])
    scope = dict(_SCOPE)
    exec(compile(text, f"<contract {contract['name']}>", "exec"), scope)
    reader: Reader = scope["read"]
    return reader


class _Code:
    """The lines of the function; each method adds those that read a value and names its holder."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.records: dict[str, Any] = {}
        self.holders = 0

    def add(self, depth: int, text: str, names: Mapping[str, str] | None = None) -> None:
        for placeholder, name in (names or {}).items():
            text = text.replace(placeholder, name)
        self.lines += ["    " * depth + line for line in text.strip("\n").split("\n")]

    def holder(self) -> str:
        self.holders += 1
        return f"v{self.holders}"

    def value(self, schema: Any, depth: int) -> str:
        if isinstance(schema, list):
            return self.optional(schema, depth)
        if isinstance(schema, str):
            if schema in self.records:
                return self.record(self.records[schema], depth)
            return self.plain(schema, depth)
        if schema["type"] == "record":
            return self.record(schema, depth)
        if schema["type"] == "array":
            return self.array(schema["items"], depth)
        return self.plain(schema.get("logicalType", schema["type"]), depth)

    def record(self, schema: Mapping[str, Any], depth: int) -> str:
        self.records[f"headrace.{schema['name']}"] = schema
        return "{" + ", ".join(self.fields(schema["fields"], depth)) + "}"

    def fields(self, fields: Sequence[Mapping[str, Any]], depth: int) -> list[str]:
        return [f"{field['name']!r}: {self.value(field['type'], depth)}" for field in fields]

    def optional(self, branches: list[Any], depth: int) -> str:
        if len(branches) != 2 or branches[0] != "null":
            raise ValueError(f"A union in a contract is of null and one type, not {branches}.")
        held = self.holder()
        self.add(depth, f"n = b[p]\np += 1\nif n == 0:\n    {held} = None\nelif n == 2:")
        self.add(depth + 1, f"{held} = {self.value(branches[1], depth + 1)}")
        self.add(depth, "else:\n    raise Malformed('a branch that the union has not', p - 1)")
        return held

    def array(self, items: Any, depth: int) -> str:
        held, left, end = self.holder(), self.holder(), self.holder()
        names = {"HELD": held, "LEFT": left, "END": end}
        self.add(depth, _ARRAY_START, names)
        self.add(depth + 1, f"{held}.append({self.value(items, depth + 1)})")
        self.add(depth + 1, _ARRAY_ITEM_END, names)
        return held

    def plain(self, kind: str, depth: int) -> str:
        held = self.holder()
        self.add(depth, _PLAIN[kind], {"HELD": held})
        return held
