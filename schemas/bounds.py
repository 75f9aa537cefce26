"""How long a text, how large a number, and what a reference may be, in every field of a contract.

A document is walked by a function made from its contract, since every event pays for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from schemas.codec import Rejected

#: In UTF-8: an entry of a database index has room for 2,704 bytes, of source, id and more.
LONGEST_ID_BYTES = 2_000
#: In characters, as all below.
LONGEST_SOURCE = 150
LONGEST_TEXT = 1_000
LONGEST_PROSE = 32_000
#: Numbers lie between minus this and this, so that sums of many fit into 38 digits.
BEYOND = Decimal(10) ** 20

#: Fields in which people write as much as they like.
PROSE = frozenset(
    {
        "description",
        "loss_reason",
        "need",
        "proof_of_delivery",
        "purpose",
        "reason",
        "reference",
        "result",
        "topic",
        "work_done",
    }
)

#: Bytes of an Avro body that is too short to hold a text that is too long.
SHORT_BODY = LONGEST_TEXT

Bounds = Callable[[Mapping[str, Any]], Rejected | None]


def compile_bounds(contract: Mapping[str, Any], *, texts: bool = True) -> Bounds:
    """Return the function that says why a decoded document of ``contract`` is refused, or None.

    Without ``texts`` it does not look at lengths: no text of a ``SHORT_BODY`` is too long.
    """
    code = _Code(texts)
    for field in contract["fields"]:
        # What a document says of itself is checked with the document.
        if field["name"] not in ("version", "source"):
            code.value(field["type"], f"d[{field['name']!r}]", field["name"], 1)
    text = "\n".join(["def check(d):", *code.lines, "    return None"])
    scope: dict[str, Any] = {
        "SOURCES": SOURCES,
        "LOW": -BEYOND,
        "HIGH": BEYOND,
        "too_long": _too_long,
        "id_too_long": _id_too_long,
        "out_of_range": _out_of_range,
        "is_source": is_source,
        "no_reference": _no_reference,
    }
    exec(compile(text, f"<bounds of {contract['name']}>", "exec"), scope)
    check: Bounds = scope["check"]
    return check


class _Code:
    """The lines of the function; each method adds those that check the value ``of`` a field."""

    def __init__(self, texts: bool) -> None:
        self.texts = texts
        self.lines: list[str] = []
        self.records: dict[str, Any] = {}
        self.holders = 0

    def add(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def value(self, schema: Any, of: str, name: str, depth: int, null: bool = False) -> None:
        if isinstance(schema, list):
            self.value(schema[1], of, name, depth, null=True)
            return
        if isinstance(schema, str):
            schema = self.records.get(schema, schema)
        kind = schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
        if kind == "record":
            self.record(schema, of, name, depth, null)
        elif kind == "array":
            each = self.holder()
            self.add(depth, f"for {each} in {of}:")
            before = len(self.lines)
            self.value(schema["items"], each, name, depth + 1)
            if len(self.lines) == before:
                self.lines.pop()
        elif kind == "string":
            self.text(of, name, depth, null)
        elif kind == "decimal":
            held = self.held(of, depth)
            known = f"{held} is not None and " if null else ""
            self.add(depth, f"if {known}not LOW < {held} < HIGH:")
            self.add(depth + 1, f"return out_of_range({name!r}, {held})")

    def record(self, schema: Any, of: str, name: str, depth: int, null: bool) -> None:
        self.records[f"headrace.{schema['name']}"] = schema
        held = self.held(of, depth)
        start = len(self.lines)
        if null:
            self.add(depth, f"if {held} is not None:")
            depth += 1
        inside = len(self.lines)
        if schema["name"] == "Reference":
            self.add(depth, f"r = {held}['source']")
            self.add(depth, f"s = {held}['id']")
            self.add(depth, "if not s or not (r in SOURCES or is_source(r)):")
            self.add(depth + 1, f"return no_reference({name!r}, {held})")
            self.id_of("s", f"{name}.id", depth)
        else:
            for field in schema["fields"]:
                inner = f"{held}[{field['name']!r}]"
                self.value(field["type"], inner, f"{name}.{field['name']}", depth)
        if len(self.lines) == inside:
            del self.lines[start:]

    def text(self, of: str, name: str, depth: int, null: bool) -> None:
        if not self.texts:
            return
        held = self.held(of, depth)
        if name == "id":
            self.id_of(held, name, depth)
            return
        most = LONGEST_PROSE if name.rpartition(".")[2] in PROSE else LONGEST_TEXT
        known = f"{held} is not None and " if null else ""
        self.add(depth, f"if {known}len({held}) > {most}:")
        self.add(depth + 1, f"return too_long({name!r}, {held}, {most})")

    def id_of(self, held: str, name: str, depth: int) -> None:
        if not self.texts:
            return
        # A character has at most four bytes: most ids need no encoding to know.
        few, most = LONGEST_ID_BYTES // 4, LONGEST_ID_BYTES
        self.add(depth, f"if len({held}) > {few} and len({held}.encode()) > {most}:")
        self.add(depth + 1, f"return id_too_long({name!r}, {held})")

    def held(self, of: str, depth: int) -> str:
        if of.isidentifier():
            return of
        held = self.holder()
        self.add(depth, f"{held} = {of}")
        return held

    def holder(self) -> str:
        self.holders += 1
        return f"v{self.holders}"


#: Names of sources that were found usable: a hub has few, and each reference names one.
SOURCES: set[str] = set()
_KEPT = 1024


def is_source(name: str) -> bool:
    """Whether ``name`` can be the source of a document."""
    if name in SOURCES:
        return True
    if not name or "|" in name or len(name) > LONGEST_SOURCE:
        return False
    if len(SOURCES) >= _KEPT:
        SOURCES.clear()
    SOURCES.add(name)
    return True


def _too_long(name: str, text: str, most: int) -> Rejected:
    reason = f"The text in {name} has {len(text):,} characters; it has at most {most:,}."
    return Rejected("text_length", reason)


def _id_too_long(name: str, text: str) -> Rejected:
    size = len(text.encode())
    reason = f"The text in {name} has {size:,} bytes; an id has at most {LONGEST_ID_BYTES:,}."
    return Rejected("text_length", reason)


def _out_of_range(name: str, number: Decimal) -> Rejected:
    reason = f"The number in {name} is {number:.3E}; it lies between -1E+20 and 1E+20."
    return Rejected("number_range", reason)


def _no_reference(name: str, reference: Mapping[str, str]) -> Rejected:
    source, number = reference["source"][:50], reference["id"][:50]
    return Rejected(
        "reference",
        f"The reference in {name} is to {number!r} of {source!r}; both are stated, and a source"
        f" has at most {LONGEST_SOURCE} characters, none of them '|'.",
    )
