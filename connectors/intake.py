"""Takes chunks of records in: single records become documents, rows of joined streams are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from connectors.door import Connection, Door
from connectors.encoding import is_too_long, key_too_long
from connectors.files.reading import Chunk
from connectors.files.units import Unit
from connectors.kept_rows import take_rows
from connectors.letters import letter_for_line, letter_for_record
from connectors.mapping.building import drafts_of
from connectors.mapping.joins import KeptRow
from connectors.mapping.records import direct_events, kept_from, node_from
from connectors.mapping.values import Draft, Rejection
from sinks.dead_letters import DeadLetter
from sinks.session import LASTING


@dataclass(slots=True)
class _Mapped:
    drafts: list[Draft] = field(default_factory=list)
    rows: list[KeptRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def take_chunk(door: Door, unit: Unit, chunk: Chunk, move: Callable[[Connection], None]) -> None:
    """Publish and keep what a chunk holds; ``move`` sets the cursor in the same transaction.

    If its data breaks the transaction, the record is found by halving and becomes a dead letter.
    """
    try:
        _take(door, unit, chunk, move)
    except (psycopg.DataError, *LASTING) as error:
        if not chunk.rows:
            raise
        _halve(door, unit, chunk, move, error)


def _halve(
    door: Door,
    unit: Unit,
    chunk: Chunk,
    move: Callable[[Connection], None],
    error: psycopg.Error,
) -> None:
    middle = len(chunk.rows) // 2
    if middle:
        take_chunk(door, unit, Chunk(chunk.rows[:middle], [], chunk.place), _stay)
        take_chunk(door, unit, Chunk(chunk.rows[middle:], chunk.broken, chunk.place), move)
        return
    ((line, row),) = chunk.rows
    reason = (
        f"the database can never hold this record ({str(error).strip()}): mend it in the source,"
        " or choose other keys and joins in the mapping"
    )
    rejection = Rejection("not_storable", reason, f"{unit.name}:{line}", None, row)
    letter = letter_for_record(door.mapping, door.source, unit.stream.name, unit.dated, rejection)
    _take(door, unit, Chunk([], chunk.broken, chunk.place), move, [letter])


def _stay(connection: Connection) -> None:
    """The cursor stays until the other half is taken too."""


def _take(
    door: Door,
    unit: Unit,
    chunk: Chunk,
    move: Callable[[Connection], None],
    put_aside: Sequence[DeadLetter] = (),
) -> None:
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
    letters += [
        letter_for_record(mapping, source, stream.name, unit.dated, rejection)
        for _, rejection in door.publish(settled)
    ]
    letters += put_aside

    def work(connection: Connection) -> int:
        repeated = 0
        if mapped.rows:
            repeated = take_rows(connection, mapping, source, stream.name, mapped.rows)
        move(connection)
        return repeated

    door.commit(settled, letters, work, read=len(chunk.rows) + len(chunk.broken) + len(put_aside))


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
            if isinstance(kept, Rejection):
                mapped.rejections.append(kept)
            elif is_too_long(kept.key):
                code, reason = key_too_long(kept.key)
                mapped.rejections.append(Rejection(code, reason, node.place, None, node.row))
            else:
                mapped.rows.append(kept)
    return mapped
