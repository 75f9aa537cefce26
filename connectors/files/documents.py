"""Hands out the records of a document, whatever its format, some hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.files.damage import DamagedFile
from connectors.portions import Broken

#: A record with its number, or what is no record, and about how many bytes it has.
Item = tuple[tuple[int, dict[str, Any]] | Broken, int]

_CHUNK_BYTES = 256 * 1024
_CHUNK_RECORDS = 1000


def gathered(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Items until they are enough; what came before an exception is handed out first."""
    several: list[Item] = []
    size = 0
    try:
        for item in items:
            several.append(item)
            size += item[1]
            if size >= _CHUNK_BYTES or len(several) >= _CHUNK_RECORDS:
                yield several
                several, size = [], 0
    except DamagedFile:
        if several:
            yield several
        raise
    if several:
        yield several
