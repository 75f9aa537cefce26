"""The topics of the hub with their contracts, read from catalogue.yaml and avro/ at import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml
from fastavro import parse_schema

from schemas.compiler import Reader, compile_reader

_FOLDER = files("schemas")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kind": ("event", "view"),
    "cleanup": ("delete", "compact"),
    "partition_by": ("key", "customer"),
}


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

    @cached_property
    def parsed(self) -> Any:
        """The contract as fastavro wants it."""
        return parse_schema(dict(self.schema))

    @cached_property
    def read(self) -> Reader:
        """The compiled reader of one Avro body."""
        return compile_reader(self.schema)

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
    return Topic(**entry, schema=schema)


def _load() -> tuple[Topic, ...]:
    entries = yaml.safe_load((_FOLDER / "catalogue.yaml").read_text(encoding="utf-8"))["topics"]
    topics = tuple(_topic(entry) for entry in entries)
    for key in ("name", "document", "schema_id"):
        values = [getattr(topic, key) for topic in topics]
        if twice := {value for value in values if values.count(value) > 1}:
            raise CatalogueError(f"The catalogue uses the same {key} twice: {twice}.")
    return topics


_ALL = _load()
_BY_SCHEMA_ID = {topic.schema_id: topic for topic in _ALL}

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})
"""Every topic by its name."""

DOCUMENTS: Mapping[str, Topic] = MappingProxyType({topic.document: topic for topic in _ALL})
"""Every topic by the type of its document: customer, order, invoice …"""


def by_schema_id(schema_id: int) -> Topic | None:
    """Return the topic whose contract has this id, or None."""
    return _BY_SCHEMA_ID.get(schema_id)
