"""What a mapping leaves over: source fields that it never looks at, contract fields never set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.mapping.contract import HEADER, FieldType, contract_of
from connectors.mapping.model import Event, SourceMapping
from connectors.mapping.values import Draft, as_text

#: What stands under these is a word of its own, not a field.
_WORDS = ("const", "emit", "name", "profile", "source", "format", "otherwise", "reason", "to")
_NAME = re.compile(r"[^\W\d]\w*")


class _Watched(dict[str, Any]):
    """A record that notes which of its fields are asked for."""

    asked: set[str]

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)


@dataclass(slots=True)
class FoundField:
    """A field of the records of a stream: in how many it has a value, and the first one."""

    stream: str
    name: str
    filled: int = 0
    example: str | None = None


@dataclass(slots=True)
class Usage:
    """Notes the fields of the records that pass, and which of them the mapping asks for."""

    found: dict[tuple[str, str], FoundField] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)

    def watched(self, stream: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The record, under watch from here on."""
        for name, value in _fields(row):
            one = self.found.setdefault((stream, name), FoundField(stream, name))
            if value not in (None, ""):
                one.filled += 1
                if one.example is None:
                    one.example = as_text(value)
        watched = _Watched(row)
        watched.asked = self.asked.setdefault(stream, set())
        return watched

    def never_used(self, document: Mapping[Any, Any]) -> list[FoundField]:
        """The fields that nothing in the mapping names; ``document`` is its YAML."""
        words = set(_named({key: document.get(key) for key in ("streams", "events", "defaults")}))
        return [
            one
            for one in self.found.values()
            if one.name.rpartition("/")[2] not in words
            and one.name not in self.asked.get(one.stream, ())
        ]

    def never_found(self) -> list[tuple[str, str]]:
        """Stream and name of the fields that the mapping asks for and no record has."""
        return [
            (stream, name)
            for stream, names in self.asked.items()
            for name in sorted(names)
            if (stream, name) not in self.found and not self._within(stream, name)
        ]

    def _within(self, stream: str, name: str) -> bool:
        return any(
            one.stream == stream and one.name.startswith(f"/{name}/") for one in self.found.values()
        )


def _fields(row: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of a record; those within objects and lists as ``/object/field``."""
    for name, value in row.items():
        inner = value if isinstance(value, list) else [value]
        objects = [each for each in inner if isinstance(each, Mapping)]
        if not objects:
            yield (f"{above}/{name}" if above else name), value
        for each in objects:
            yield from _fields(each, f"{above}/{name}")


def _named(node: Any) -> Iterator[str]:
    """Every word of a mapping that may name a field."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("on", "join"):
                yield from (word for names in _values(value) for word in _named(list(names)))
            # An event has a name of its own; elsewhere `name` is a field of the contract.
            word = key in _WORDS and (key != "name" or "emit" in node)
            if not word and not (key == "map" and isinstance(value, Mapping)):
                yield from _named(value)
    elif isinstance(node, list):
        for each in node:
            yield from _named(each)
    elif isinstance(node, str):
        yield node
        yield from re.split(r"[/.]", node)
        yield from _NAME.findall(node)


def _values(node: Any) -> Iterator[Mapping[Any, Any]]:
    if isinstance(node, Mapping):
        yield node
        yield from (each for each in node.values() if isinstance(each, Mapping))


@dataclass(frozen=True, slots=True)
class Unset:
    """A field of a contract that no document has; ``mapped`` says that the mapping names it."""

    name: str
    mapped: bool


def never_set(mapping: SourceMapping, drafts: Sequence[Draft]) -> dict[str, list[Unset]]:
    """By document type: the fields of its contract that are empty in all of ``drafts``."""
    unset = {}
    for document in dict.fromkeys(event.document for event in mapping.events):
        bodies = [draft.body for draft in drafts if draft.document == document]
        events = [event for event in mapping.events if event.document == document]
        names = {
            name: wanted for name, wanted in contract_of(document).items() if name not in HEADER
        }
        unset[document] = list(_empty(names, bodies, _assigned(events)))
    return unset


def _assigned(events: Sequence[Event]) -> set[str]:
    names = {name for event in events for name, _ in event.assignments}
    for entries in (each for event in events for each in event.lists):
        names |= {entries.name, *(f"{entries.name}.{name}" for name, _ in entries.assignments)}
    return names


def _empty(
    fields: Mapping[str, FieldType],
    bodies: Sequence[Mapping[str, Any]],
    assigned: set[str],
    above: str = "",
) -> Iterator[Unset]:
    for name, wanted in fields.items():
        values = [body[name] for body in bodies if body.get(name) not in (None, [])]
        if not values:
            yield Unset(above + name, above + name in assigned)
        elif wanted.many and wanted.fields and not wanted.is_reference:
            entries = [entry for value in values for entry in value]
            yield from _empty(wanted.fields, entries, assigned, f"{above}{name}.")
