"""The files of a plant and the records in them, found as its mappings say that they are written."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import connectors.mapping
from connectors.files.reading import parser_for
from connectors.files.units import Unit, find_units
from connectors.mapping.values import Node, Refusal
from tests.plant.plants import Plant


def units_of(plant: Plant) -> Iterator[Unit]:
    """Yield each file of each system."""
    settings = plant.settings
    for source in settings.sources:
        mapping = connectors.mapping.load_mapping(
            source.mapping, source.name, settings.company.zone
        )
        yield from find_units(source.reads, mapping.streams, mapping.zone)


@dataclass(frozen=True, slots=True)
class Written:
    """A record as it stands in a file; a line that is none is its own key."""

    key: Hashable
    content: bytes


def records_of(unit: Unit) -> tuple[bytes, list[Written]]:
    """Return what stands before the first record of a file, and its records."""
    lines = unit.path.read_bytes().splitlines(keepends=True)
    parsed = parser_for(unit).parse(lines, 1, last=True)
    keys: dict[int, Hashable] = {line: _key(unit, row, line) for line, row in parsed.rows}
    keys |= {broken.number: broken.number for broken in parsed.broken}
    begins = sorted(keys)
    ends = [*begins[1:], len(lines) + 1]
    head = b"".join(lines[: begins[0] - 1]) if begins else b"".join(lines)
    return head, [
        Written(keys[begin], b"".join(lines[begin - 1 : end - 1]))
        for begin, end in zip(begins, ends, strict=True)
    ]


def _key(unit: Unit, row: dict[str, object], line: int) -> Hashable:
    try:
        return unit.stream.key(Node(row)) or line
    except Refusal:
        return line
