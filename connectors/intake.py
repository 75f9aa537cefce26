"""Takes chunks of records in: single records become documents, rows of joined streams are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.door import Connection, Door
from connectors.files.reading import Chunk
from connectors.files.units import Unit
from connectors.kept_rows import take_rows
from connectors.letters import letter_for_line, letter_for_record
from connectors.mapping.building import drafts_of
from connectors.mapping.joins import KeptRow
from connectors.mapping.records import direct_events, kept_from, node_from
from connectors.mapping.values import Draft, Rejection


@dataclass(slots=True)
class _Mapped:
    drafts: list[Draft] = field(default_factory=list)
    rows: list[KeptRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def take_chunk(door: Door, unit: Unit, chunk: Chunk, move: Callable[[Connection], None]) -> None:
    """Publish and keep what a chunk holds; ``move`` sets the cursor in the same transaction."""
    mapping, source, stream = door.mapping, door.source, unit.stream
    mapped = _map(door, unit, chunk)
    settled, refused = door.settle_direct(mapped.drafts)
    letters = [
        letter_for_line(mapping, source, unit, chunk.place.columns, line) for line in chunk.broken
    ]
    letters += [
        letter_for_record(mapping, source, stream.name, unit.dated, rejection)
        for rejection in [*mapped.rejections, *refused]
    ]
    door.publish(settled)

    def work(connection: Connection) -> int:
        repeated = 0
        if mapped.rows:
            repeated = take_rows(connection, mapping, source, stream.name, mapped.rows)
        move(connection)
        return repeated

    door.commit(settled, letters, work, read=len(chunk.rows) + len(chunk.broken))


def _map(door: Door, unit: Unit, chunk: Chunk) -> _Mapped:
    stream, mapped = unit.stream, _Mapped()
    events = direct_events(door.mapping, stream.name)
    for line, row in chunk.rows:
        node = node_from(stream, row, f"{unit.name}:{line}", unit.dated)
        if isinstance(node, Rejection):
            mapped.rejections.append(node)
            continue
        for made in drafts_of(door.mapping, events, node):
            if isinstance(made, Draft):
                mapped.drafts.append(made)
            else:
                mapped.rejections.append(made)
        if stream.joined:
            kept = kept_from(stream, node)
            if isinstance(kept, KeptRow):
                mapped.rows.append(kept)
            else:
                mapped.rejections.append(kept)
    return mapped
