"""Runs sources: one read, a loop that follows, and the replay of a dead letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as StopEvent
from time import monotonic

import orjson
import structlog
from kafka.errors import KafkaError

from connectors.assembly import build_touched
from connectors.door import Connection, Door
from connectors.files.places import Place
from connectors.files.reading import Chunk, parser_for
from connectors.files.units import SourcePathError, Unit
from connectors.intake import take_chunk
from connectors.letters import header_texts
from connectors.mapping.loading import load_mapping
from connectors.mapping.model import SourceMapping
from connectors.passes import make_pass
from connectors.publish import KafkaPublisher, Publisher, PublishError
from connectors.report import OnProgress, SourceReport
from hub.kafka import Cluster
from hub.settings import Settings, Source
from sinks import cursors
from sinks.dead_letters import DeadLetter
from sinks.session import PASSING, Session

log = structlog.get_logger(__name__)


class ReplayError(Exception):
    """The dead letter cannot be replayed; the message says why."""


def run_source(
    source: Source,
    settings: Settings,
    cluster: Cluster,
    database_url: str,
    *,
    bounded: bool,
    on_progress: OnProgress | None = None,
) -> SourceReport:
    """Read a source once, from its cursors to its end.

    Args:
        source: of the configuration.
        settings: give the company's time zone, for mappings that name none.
        cluster: where the topics of the catalogue are.
        database_url: of the migrated database.
        bounded: whether the source is as long as it will be: a last line without a line end is
            then taken, and a required part that has not come is a dead letter.
        on_progress: called after each chunk with the running counts.

    Raises:
        MappingError, SourcePathError: the configuration is wrong.
        SourceBusy: another process reads this source.
        PublishError: the broker took not everything; nothing is lost, the next run goes on.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    publisher = KafkaPublisher(cluster)
    started = monotonic()
    try:
        with open_door(source, mapping, publisher, database_url, on_progress) as door:
            make_pass(door, source.path, bounded)
            door.report.seconds = monotonic() - started
            return door.report
    finally:
        publisher.close()


def follow(
    source: Source,
    settings: Settings,
    cluster: Cluster,
    database_url: str,
    stop: StopEvent,
    on_progress: OnProgress | None = None,
    poll_s: float = 1.0,
) -> None:
    """Read a source again and again until ``stop`` is set; one pass each ``poll_s`` seconds.

    A broker or database that is away is waited for, and so is a path that is not there yet.

    Raises:
        MappingError: the mapping is wrong.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    pause = poll_s
    while not stop.is_set():
        try:
            publisher = KafkaPublisher(cluster)
            try:
                with open_door(source, mapping, publisher, database_url, on_progress) as door:
                    while not stop.is_set():
                        _follow_once(door, source.path)
                        pause = poll_s
                        stop.wait(poll_s)
            finally:
                publisher.close()
        except (PublishError, KafkaError, cursors.SourceBusy, *PASSING) as error:
            log.warning("source_interrupted", source=source.name, error=str(error), pause_s=pause)
            stop.wait(pause)
            pause = min(pause * 2, 30.0)


def _follow_once(door: Door, path: str) -> None:
    started = monotonic()
    try:
        make_pass(door, path, final=False)
    except SourcePathError as error:
        log.info("source_not_there", source=door.source, error=str(error))
    door.report.seconds += monotonic() - started


@contextmanager
def open_door(
    source: Source,
    mapping: SourceMapping,
    publisher: Publisher,
    database_url: str,
    on_progress: OnProgress | None = None,
) -> Iterator[Door]:
    """A source with the right to read it, as long as the context lasts.

    Raises:
        SourceBusy: another process reads it.
    """
    session = Session(database_url, name=f"headrace source {source.name} writer")
    with cursors.source_lock(database_url, source.name) as lock:

        def held() -> None:
            # Fails where the connection that holds the lock was lost.
            lock.execute("SELECT 1")

        try:
            yield Door(
                source=source.name,
                mapping=mapping,
                session=session,
                publisher=publisher,
                report=SourceReport(source.name),
                held=held,
                on_progress=on_progress,
            )
        finally:
            session.close()


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
        take_chunk(door, unit, _chunk_of(unit, letter, texts), _stay)
    else:
        raise ReplayError("the letter holds no record of a source")
    build_touched(door, final=True)


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


def _stay(connection: Connection) -> None:
    """A replay moves no cursor."""
