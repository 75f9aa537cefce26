"""The event contracts as plain data: topic, schema id and parsed Avro schema, read from files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import yaml

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


@dataclass(frozen=True, slots=True)
class Contract:
    """One event topic: what it carries, under which schema id, and whether it is compacted."""

    topic: str
    document: str
    schema_id: int
    compacted: bool
    parsed: Any


@cache
def contracts() -> dict[str, Contract]:
    """Return the contract of every event topic, by topic name."""
    found = {}
    for entry in catalogue_entries():
        if entry["kind"] != "event":
            continue
        text = (SCHEMAS / "avro" / f"{entry['name']}.avsc").read_text(encoding="utf-8")
        found[entry["name"]] = Contract(
            topic=entry["name"],
            document=entry["document"],
            schema_id=int(entry["schema_id"]),
            compacted=entry["cleanup"] == "compact",
            parsed=fastavro.parse_schema(json.loads(text)),
        )
    return found


def catalogue_entries() -> list[dict[str, Any]]:
    """Return the entries of schemas/catalogue.yaml, whether it is a list or a mapping by topic."""
    content = yaml.safe_load((SCHEMAS / "catalogue.yaml").read_text(encoding="utf-8"))
    topics = content.get("topics", content) if isinstance(content, dict) else content
    if isinstance(topics, dict):
        return [{"name": name, **entry} for name, entry in topics.items()]
    return list(topics)


def contract_of(document: str) -> Contract:
    """Return the contract of a document type such as `invoice`."""
    for contract in contracts().values():
        if contract.document == document:
            return contract
    raise KeyError(document)
