"""Takes a dead letter of a source through the mapping again, once that was mended."""

from __future__ import annotations

import orjson

from connectors.assembly import build_touched
from connectors.door import Door
from connectors.errors import ReplayError
from connectors.intake import take_portions
from connectors.kinds import Reader, reader_of
from connectors.letters import header_texts
from connectors.mapping.loading import load_mapping
from connectors.mapping.model import SourceMapping
from connectors.opening import open_door
from connectors.overtaking import replay_door
from connectors.portions import Broken, Origin, Portion
from connectors.publish import KafkaPublisher
from connectors.report import SourceReport
from hub.kafka import Cluster
from hub.settings import Settings
from hub.source_settings import Source
from sinks import cursors
from sinks.dead_letters import DeadLetter


def replay_dead_letter(
    letter_id: int,
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
        ReplayError: the letter is not of this source, its stream is no longer in the mapping, or
            something newer has come since.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    publisher = KafkaPublisher(cluster)
    try:
        with open_door(source, mapping, publisher, database_url) as door:
            replay_through(door, reader_of(source, mapping), letter_id, letter)
            return door.report
    finally:
        publisher.close()


def replay_through(door: Door, reader: Reader, letter_id: int, letter: DeadLetter) -> None:
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
        portion = _portion_of(reader, door.mapping, letter, texts)
        through = replay_door(door, letter_id)
        through.refuse_overtaken(portion)
        take_portions(through, [portion])
    else:
        raise ReplayError("the letter holds no record of a source")
    build_touched(door, final=True, waiting_too=False)


def _portion_of(
    reader: Reader, mapping: SourceMapping, letter: DeadLetter, texts: dict[str, str]
) -> Portion:
    """The letter's record where it stood, without a state: a replay moves no cursor."""
    stream = mapping.streams.get(texts["stream"])
    if stream is None:
        raise ReplayError(f"the mapping has no stream {texts['stream']!r} any more")
    name, _, number = (letter.place or ":0").rpartition(":")
    origin = Origin(name, stream, int(texts["dated"]), texts)
    value = letter.value or b""
    if texts["form"] == "record":
        return Portion(origin, [(number, orjson.loads(value))])
    return reader.again(origin, Broken(int(number), value, letter.code, letter.reason))
