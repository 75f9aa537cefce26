"""Reads sample records that no mapping knows yet."""

from __future__ import annotations

import re
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


def sample_records(path: str) -> list[dict[str, Any]]:
    """The records of the files under ``path``, at most 100,000.

    Raises:
        SourceError: there are none.
    """
    reader = FilesReader(path, parse_mapping(_ANY, "sample"), "sample")
    records: list[dict[str, Any]] = []
    for portion in reader.portions({}, final=True):
        records += [row for _, row in portion.rows]
        if len(records) >= _MOST:
            break
    if not records:
        raise NoRecords(f"{path}: no record in it can be read")
    return records[:_MOST]


def name_of(path: str) -> str:
    """A name for the records of a file, made of its own."""
    return re.sub(r"\W+", "_", Path(path).stem).strip("_").lower() or "records"
