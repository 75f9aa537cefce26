"""The topics of the hub with their contracts, read from catalogue.yaml, avro/ and released/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import yaml
from fastavro import parse_schema

from schemas.compiler import Reader, compile_reader
from schemas.writing import Writer, compile_writer

_FOLDER = files("schemas")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kind": ("event", "view"),
    "cleanup": ("delete", "compact"),
    "partition_by": ("key", "customer"),
}
#: What each later version of a contract adds to the id of the first.
_ID_STEP = 1_000


class CatalogueError(Exception):
    """The catalogue contradicts itself or a contract."""


@dataclass(frozen=True)
class Topic:
    """One topic: the document on it, its contract, and how Kafka keeps it."""

    name: str
    document: str
    schema_id: int
    kind: str
    cleanup: str
    partition_by: str
    released: bool
    schema: Mapping[str, Any] = field(repr=False, compare=False)
    """The contract as written in ``avro/<name>.avsc``."""
    versions: Sequence[Mapping[str, Any]] = field(default=(), repr=False, compare=False)
    """The released versions of the contract, the oldest first; the newest is the present one."""

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it is the topic of that name there, with what that has compiled.
        return _named, (self.name,)

    def version_id(self, number: int) -> int:
        """Return the schema id of a version of the contract: 107, then 1107, 2107 …"""
        return self.schema_id % _ID_STEP + _ID_STEP * (number - 1)

    @cached_property
    def parsed(self) -> Any:
        """The contract as fastavro wants it."""
        return parse_schema(dict(self.schema))

    @cached_property
    def read(self) -> Reader:
        """The compiled reader of one Avro body."""
        return compile_reader(self.schema)

    @cached_property
    def write(self) -> Writer:
        """The compiled writer of a document."""
        return compile_writer(self.schema)

    @cached_property
    def read_earlier(self) -> Mapping[int, Reader]:
        """By their schema ids the readers of earlier versions: they return present documents."""
        return {
            self.version_id(number): compile_reader(self.schema, writer)
            for number, writer in enumerate(self.versions[:-1], start=1)
        }

    def golden(self) -> dict[str, Any]:
        """Return the golden examples: ``valid`` documents, ``invalid`` ones with a reason."""
        text = (_FOLDER / "golden" / f"{self.name}.json").read_text(encoding="utf-8")
        examples: dict[str, Any] = json.loads(text)
        return examples


def _topic(entry: Mapping[str, Any]) -> Topic:
    name = entry["name"]
    for key, allowed in _CHOICES.items():
        if entry[key] not in allowed:
            raise CatalogueError(f"{name}: {key} is {entry[key]!r}, not one of {allowed}.")
    schema = json.loads((_FOLDER / "avro" / f"{name}.avsc").read_text(encoding="utf-8"))
    first = schema["fields"][0]
    if (first["name"], first["type"]) != ("version", "long"):
        raise CatalogueError(f"{name}: the first field of a contract is the long `version`.")
    return Topic(**entry, schema=schema, versions=released_versions(name))


def released_versions(name: str, folder: Traversable = _FOLDER / "released") -> tuple[Any, ...]:
    """Return the released versions of a topic's contract as JSON, the oldest first.

    ``folder`` holds ``<name>/<n>.avsc``.
    """
    place = folder / name
    if not place.is_dir():
        return ()
    names = {each.name for each in place.iterdir() if each.name.endswith(".avsc")}
    numbers = range(1, len(names) + 1)
    if names != {f"{number}.avsc" for number in numbers}:
        raise CatalogueError(f"The released versions of {name} are not numbered from 1 on.")
    return tuple(
        json.loads((place / f"{number}.avsc").read_text(encoding="utf-8")) for number in numbers
    )


def _load() -> tuple[Topic, ...]:
    entries = yaml.safe_load((_FOLDER / "catalogue.yaml").read_text(encoding="utf-8"))["topics"]
    topics = tuple(_topic(entry) for entry in entries)
    for key in ("name", "document", "schema_id"):
        values = [getattr(topic, key) for topic in topics]
        if twice := {value for value in values if values.count(value) > 1}:
            raise CatalogueError(f"The catalogue uses the same {key} twice: {twice}.")
    return topics


_ALL = _load()
_BY_SCHEMA_ID = {
    schema_id: topic
    for topic in _ALL
    for schema_id in (topic.schema_id, *map(topic.version_id, range(1, len(topic.versions) + 1)))
}

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})
"""Every topic by its name."""

DOCUMENTS: Mapping[str, Topic] = MappingProxyType({topic.document: topic for topic in _ALL})
"""Every topic by the type of its document: customer, order, invoice …"""


def by_schema_id(schema_id: int) -> Topic | None:
    """Return the topic of whose contract a version has this id, or None."""
    return _BY_SCHEMA_ID.get(schema_id)


def _named(name: str) -> Topic:
    return TOPICS[name]
