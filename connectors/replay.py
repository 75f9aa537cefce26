"""Takes a dead letter of a source through the mapping again, once that was mended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from connectors.assembly import build_touched
from connectors.door import Door
from connectors.files.places import Place
from connectors.files.reading import Chunk, parser_for
from connectors.files.units import Unit
from connectors.intake import Portion, take_portions
from connectors.letters import header_texts
from connectors.mapping.loading import load_mapping
from connectors.mapping.model import SourceMapping
from connectors.opening import open_door
from connectors.publish import KafkaPublisher
from connectors.report import SourceReport
from hub.kafka import Cluster
from hub.settings import Settings, Source
from sinks import cursors
from sinks.dead_letters import DeadLetter


class ReplayError(Exception):
    """The dead letter cannot be replayed; the message says why."""


def replay_dead_letter(
    letter: DeadLetter,
    source: Source,
    settings: Settings,
    cluster: Cluster,
    database_url: str,
) -> SourceReport:
    """Map the original record of a dead letter again, with the mapping as it is now.

    Returns:
        What came of it: it is replayed if ``rejected`` is 0.

    Raises:
        ReplayError: the letter is not of this source, or its stream is no longer in the mapping.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    publisher = KafkaPublisher(cluster)
    try:
        with open_door(source, mapping, publisher, database_url) as door:
            replay_through(door, letter)
            return door.report
    finally:
        publisher.close()


def replay_through(door: Door, letter: DeadLetter) -> None:
    """See ``replay_dead_letter``."""
    texts = header_texts(letter)
    form = texts.get("form")
    if form == "document":
        event, row_key = texts["event"], texts["row_key"]
        if door.mapping.event_named(event) is None:
            raise ReplayError(f"the mapping has no event {event!r} any more")
        door.session.run(
            lambda connection: cursors.touch(connection, door.source, event, [row_key])
        )
    elif form in ("line", "record"):
        unit = _unit_of(door.mapping, letter, texts)
        # A replay moves no cursor.
        take_portions(door, [Portion(unit, _chunk_of(unit, letter, texts))])
    else:
        raise ReplayError("the letter holds no record of a source")
    build_touched(door, final=True, waiting_too=False)


def _unit_of(mapping: SourceMapping, letter: DeadLetter, texts: dict[str, str]) -> Unit:
    stream = mapping.streams.get(texts["stream"])
    if stream is None:
        raise ReplayError(f"the mapping has no stream {texts['stream']!r} any more")
    name = (letter.place or "").rpartition(":")[0]
    return Unit(Path(name), name, stream, texts.get("format", "jsonl"), int(texts["dated"]))


def _chunk_of(unit: Unit, letter: DeadLetter, texts: dict[str, str]) -> Chunk:
    number = int((letter.place or ":0").rpartition(":")[2])
    value = letter.value or b""
    if texts["form"] == "record":
        return Chunk(rows=[(number, orjson.loads(value))])
    columns: Sequence[str] = orjson.loads(texts["columns"])
    parser = parser_for(unit, tuple(columns))
    parsed = parser.parse([value], number, last=True)
    return Chunk(parsed.rows, parsed.broken, Place(columns=parser.columns))
