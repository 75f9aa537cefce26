"""Turns a contract into a Python function that writes a document, and gives it back as it is read.

The function is straight-line code, as that of ``schemas.compiler``, which takes a fifth of the
time of fastavro's writer and a reader behind it. It writes what it knows for certain: values of
exactly the types that their fields have when they are read. It leaves all else to fastavro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas import written_values
from schemas.compiler import DEFAULTS, in_place, kind_of
from schemas.written_values import Unfit

Writer = Callable[[bytes, Mapping[str, Any]], tuple[bytes, dict[str, Any]]]

_SCOPE: Mapping[str, Any] = {
    "Unfit": Unfit,
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "Decimal": Decimal,
    "SMALL": written_values.SMALL,
    "int_bytes": written_values.int_bytes,
    "long_bytes": written_values.long_bytes,
    "date_bytes": written_values.date_bytes,
    "instant_bytes": written_values.instant_bytes,
    "decimal_bytes": written_values.decimal_bytes,
    "known_date": written_values.DATES.get,
    "known_instant": written_values.INSTANTS.get,
    "known_decimal": written_values.DECIMALS.get,
}

# `o` is what is written, `e` the bytes of one value, `n` their number, HELD the value.
_PLAIN = {
    "string": """
e = HELD.encode()
n = len(e)
o += SMALL[n] if n < 64 else long_bytes(n)
o += e""",
    "boolean": """
o += SMALL[-1] if HELD else SMALL[0]""",
    "int": """
o += SMALL[HELD] if -64 <= HELD < 64 else int_bytes(HELD)""",
    "long": """
o += SMALL[HELD] if -64 <= HELD < 64 else long_bytes(HELD)""",
    "date": """
o += known_date(HELD) or date_bytes(HELD)""",
    # The same instant of another zone is known as well, and is not what is read.
    "timestamp-micros": """
if HELD.tzinfo is not UTC:
    raise Unfit
o += known_instant(HELD) or instant_bytes(HELD)""",
    "decimal": """
e, HELD = known_decimal(HELD) or decimal_bytes(HELD)
o += e""",
}
#: The class that a value of each type has when it is read.
CLASSES = {
    "string": "str",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "date": "date",
    "timestamp-micros": "datetime",
    "decimal": "Decimal",
    "array": "list",
    "record": "dict",
}


def compile_writer(contract: Mapping[str, Any]) -> Writer:
    """Return the function that writes a document of ``contract``, a record.

    It takes the head of the message and the document, and returns the message, and the document
    as the contract's reader would return it. It raises ``Unfit``, ``KeyError``, ``TypeError`` or
    ``UnicodeEncodeError`` where it does not write the document, which may be right all the same.

    Raises:
        ValueError: the contract uses a type that no contract may have.
    """
    code = _Code()
    document = code.value(in_place(contract, {}), "d", 1)
    body = ["def write(head, d):", "    o = bytearray(head)", *code.lines]
    text = "\n".join([*body, f"    return bytes(o), {document}"])
    scope = {**_SCOPE, **code.constants}
    exec(compile(text, f"<writer of {contract['name']}>", "exec"), scope)
    writer: Writer = scope["write"]
    return writer


class _Code:
    """The lines of the function; ``value`` adds those that write one, and names it as it is read.

    ``HELD`` is a name that holds the value, and may come to hold it as it is read.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.holders = 0

    def add(self, depth: int, text: str, held: str = "") -> None:
        lines = text.strip("\n").replace("HELD", held).split("\n")
        self.lines += ["    " * depth + line for line in lines]

    def holder(self) -> str:
        self.holders += 1
        return f"v{self.holders}"

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants) + 1}"
        self.constants[name] = value
        return name

    def value(self, schema: Any, held: str, depth: int) -> str:
        if isinstance(schema, list):
            return self.optional(schema, held, depth)
        kind = kind_of(schema)
        if kind not in CLASSES:
            raise ValueError(f"No contract may have the type {kind}.")
        self.add(depth, f"if HELD.__class__ is not {CLASSES[kind]}:\n    raise Unfit", held)
        if kind == "record":
            return self.record(schema, held, depth)
        if kind == "array":
            return self.array(schema, held, depth)
        self.add(depth, _PLAIN[kind], held)
        return held

    def optional(self, branches: list[Any], held: str, depth: int) -> str:
        self.add(depth, "if HELD is None:\n    o += SMALL[0]\nelse:\n    o += SMALL[1]", held)
        read = self.value(branches[1], held, depth + 1)
        if read != held:
            self.add(depth + 1, f"HELD = {read}", held)
        return held

    def array(self, schema: Any, held: str, depth: int) -> str:
        read, each = self.holder(), self.holder()
        self.add(depth, f"{read} = []\nif HELD:\n    n = len(HELD)", held)
        self.add(depth + 1, "o += SMALL[n] if n < 64 else long_bytes(n)")
        self.add(depth + 1, f"for {each} in HELD:", held)
        self.add(depth + 2, f"{read}.append({self.value(schema['items'], each, depth + 2)})")
        self.add(depth, "o += SMALL[0]")
        return read

    def record(self, schema: Any, held: str, depth: int) -> str:
        fields = schema["fields"]
        if any("default" in field for field in fields):
            names = self.constant(frozenset(field["name"] for field in fields))
            self.add(depth, f"if not HELD.keys() <= {names}:\n    raise Unfit", held)
        else:
            self.add(depth, f"if len(HELD) != {len(fields)}:\n    raise Unfit", held)
        parts = []
        for field in fields:
            name, part = field["name"], self.holder()
            found = f"{part} = {held}[{name!r}]"
            if "default" in field:
                default = self.constant(_default(field["type"], field["default"]))
                found = f"{part} = {held}.get({name!r}, {default})"
            self.add(depth, found)
            parts.append(f"{name!r}: {self.value(field['type'], part, depth)}")
        return "{" + ", ".join(parts) + "}"


def _default(schema: Any, value: Any) -> Any:
    """A default as a document has it; what a record's leaves out has a default of its own."""
    if isinstance(schema, list):
        return None if value is None else _default(schema[1], value)
    kind = kind_of(schema)
    if kind == "array":
        return [_default(schema["items"], one) for one in value]
    if kind == "record":
        types = {field["name"]: field["type"] for field in schema["fields"]}
        return {name: _default(types[name], one) for name, one in value.items()}
    return DEFAULTS[kind](value) if kind in DEFAULTS else value
