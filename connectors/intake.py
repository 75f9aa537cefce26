"""Takes portions of sources in: records become documents, rows of joined streams are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg

from connectors.door import Connection, Door
from connectors.encoding import is_too_long, key_too_long
from connectors.kept_rows import take_gone, take_rows
from connectors.letters import letter_for_line, letter_for_record
from connectors.mapping.building import drafts_of
from connectors.mapping.joins import KeptRow
from connectors.mapping.model import SourceMapping
from connectors.mapping.records import direct_events, kept_from, node_from
from connectors.mapping.values import Draft, Rejection
from connectors.portions import Origin, Portion
from sinks import cursors, recent_rows
from sinks.dead_letters import DeadLetter
from sinks.session import LASTING


@dataclass(slots=True)
class _Mapped:
    drafts: list[Draft] = field(default_factory=list)
    rows: list[KeptRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def take_portions(door: Door, portions: Sequence[Portion]) -> None:
    """Publish and keep what these portions hold, and move their cursors, in one transaction.

    If their data breaks the transaction, the record is found by halving and becomes a dead letter.

    Args:
        door: the source.
        portions: in the order of the source; several of one file in the order of the file.
    """
    try:
        _take(door, portions)
    except (psycopg.DataError, *LASTING) as error:
        if not any(portion.rows for portion in portions):
            raise
        _halve(door, portions, error)


def _halve(door: Door, portions: Sequence[Portion], error: psycopg.Error) -> None:
    middle = len(portions) // 2
    if middle:
        take_portions(door, portions[:middle])
        take_portions(door, portions[middle:])
        return
    (portion,) = portions
    middle = len(portion.rows) // 2
    if middle:
        # The cursor stays until the other half is taken too.
        first = Portion(portion.origin, rows=portion.rows[:middle])
        take_portions(door, [first])
        take_portions(door, [replace(portion, rows=portion.rows[middle:])])
        return
    ((number, row),) = portion.rows
    reason = (
        f"the database can never hold this record ({str(error).strip()}): mend it in the source,"
        " or choose other keys and joins in the mapping"
    )
    rejection = Rejection("not_storable", reason, f"{portion.origin.name}:{number}", None, row)
    letter = letter_for_record(door.mapping, door.source, portion.origin, rejection)
    _take(door, [replace(portion, rows=())], [letter])


def _take(door: Door, portions: Sequence[Portion], put_aside: Sequence[DeadLetter] = ()) -> None:
    mapping, source = door.mapping, door.source
    letters: list[DeadLetter] = []
    drafts: list[Draft] = []
    origin_of: dict[int, Origin] = {}
    rows: dict[str, list[KeptRow]] = {}
    for portion in portions:
        origin, mapped = portion.origin, _map(mapping, portion)
        letters += _letters(door, portion, mapped.rejections)
        drafts += mapped.drafts
        origin_of |= dict.fromkeys(map(id, mapped.drafts), origin)
        if mapped.rows:
            rows.setdefault(origin.stream.name, []).extend(mapped.rows)
    settled, refused = door.settle_direct(drafts)
    for draft, rejection in [*refused, *door.publish(settled)]:
        letters.append(letter_for_record(mapping, source, origin_of[id(draft)], rejection))
    letters += put_aside
    states = {one.origin.name: one.state for one in portions if one.state is not None}

    def work(connection: Connection) -> int:
        repeated = 0
        for stream, arriving in rows.items():
            repeated += take_rows(connection, mapping, source, stream, arriving)
        for portion in portions:
            name = portion.origin.name
            if portion.gone:
                take_gone(connection, mapping, source, portion.origin.stream.name, portion.gone)
            if (window := portion.window) is not None:
                recent_rows.remember(connection, source, name, window.digests, window.floor)
        cursors.save_cursors(connection, source, states)
        return repeated + known

    known = sum(one.known for one in portions)
    read = known + sum(len(one.rows) + len(one.broken) for one in portions)
    door.commit(settled, letters, work, read=read + len(put_aside))


def _letters(door: Door, portion: Portion, rejections: Sequence[Rejection]) -> list[DeadLetter]:
    mapping, source, origin = door.mapping, door.source, portion.origin
    lines = [letter_for_line(mapping, source, origin, one) for one in portion.broken]
    return lines + [letter_for_record(mapping, source, origin, one) for one in rejections]


def _map(mapping: SourceMapping, portion: Portion) -> _Mapped:
    origin, mapped = portion.origin, _Mapped()
    stream = origin.stream
    events = direct_events(mapping, stream.name)
    for number, row in portion.rows:
        node = node_from(stream, row, f"{origin.name}:{number}", origin.date_of(number))
        if isinstance(node, Rejection):
            mapped.rejections.append(node)
            continue
        for made in drafts_of(mapping, events, node):
            if isinstance(made, Draft):
                mapped.drafts.append(made)
            else:
                mapped.rejections.append(made)
        if stream.joined:
            for kept in kept_from(stream, node):
                if isinstance(kept, Rejection):
                    mapped.rejections.append(kept)
                elif is_too_long(kept.key):
                    code, reason = key_too_long(kept.key)
                    mapped.rejections.append(Rejection(code, reason, node.place, None, node.row))
                else:
                    mapped.rows.append(kept)
    return mapped
