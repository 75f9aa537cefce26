"""Reads sample records that no mapping knows yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import SourceError
from connectors.files.source import FilesReader
from connectors.mapping.loading import parse_mapping

_MOST = 100_000
#: Takes every file, and makes nothing of it.
_ANY = """
streams: {records: {key: {const: "1"}}}
events: [{emit: customer, from: records, key: {const: "1"}}]
"""


class NoRecords(SourceError):
    """There is nothing to draft a mapping from."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Records, and where each stands: ``line 7``, of several files ``orders.csv:7``."""

    records: list[dict[str, Any]]
    places: list[str]


def samples_of(path: str) -> Samples:
    """The records of the files under ``path``, at most 100,000.

    Raises:
        SourceError: there are none.
    """
    reader = FilesReader(path, parse_mapping(_ANY, "sample"), "sample")
    found: list[tuple[str, int | str, dict[str, Any]]] = []
    for portion in reader.portions({}, final=True):
        found += [(portion.origin.name, number, row) for number, row in portion.rows]
        if len(found) >= _MOST:
            break
    if not found:
        raise NoRecords(f"{path}: no record in it can be read")
    del found[_MOST:]
    alone = len({name for name, _, _ in found}) == 1
    places = [f"line {number}" if alone else f"{name}:{number}" for name, number, _ in found]
    return Samples([row for _, _, row in found], places)


def name_of(path: str) -> str:
    """A name for the records of a file, made of its own."""
    return re.sub(r"\W+", "_", Path(path).stem).strip("_").lower() or "records"
