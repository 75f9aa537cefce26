"""Runs sources: one read, a loop that follows, and the replay of a dead letter."""

from __future__ import annotations

from threading import Event as StopEvent
from time import monotonic

import structlog
from kafka.errors import KafkaError

from connectors.door import Door
from connectors.errors import ReplayError, SourceError
from connectors.failing import Condition
from connectors.kinds import Reader, reader_of
from connectors.mapping.loading import load_mapping
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.pausing import Heeding, paused, paused_since
from connectors.publish import KafkaPublisher, PublishError
from connectors.remaining import bytes_ahead
from connectors.replay import replay_dead_letter
from connectors.report import OnProgress, SourceReport
from hub.kafka import Cluster
from hub.settings import Settings
from hub.source_settings import Source
from sinks import cursors
from sinks.session import may_pass

__all__ = ["ReplayError", "follow", "passes_by_itself", "replay_dead_letter", "run_source"]

log = structlog.get_logger(__name__)

#: How often it is looked whether a paused source may be read again.
_LOOK_S = 1.0


def passes_by_itself(error: Exception) -> bool:
    """Whether the source only has to be tried again: a broker, a database or its lock is away."""
    return isinstance(error, (PublishError, KafkaError, cursors.SourceBusy)) or may_pass(error)


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
        MappingError, SourceError: the configuration is wrong, or the source is not there.
        SourcePaused: somebody has paused it.
        SourceBusy: another process reads this source.
        PublishError: the broker took not everything; nothing is lost, the next run goes on.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    publisher = KafkaPublisher(cluster)
    started = monotonic()
    try:
        with open_door(source, mapping, publisher, database_url, on_progress) as door:
            if (since := paused_since(door)) is not None:
                raise paused(source.name, since)
            states = door.session.run(lambda found: cursors.cursor_states(found, source.name))
            door.report.bytes_ahead = bytes_ahead(source, states)
            make_pass(door, Heeding(reader_of(source, mapping), door), bounded)
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
    poll_s: float | None = None,
) -> None:
    """Read a source again and again until ``stop`` is set; one pass each ``poll_s`` seconds.

    By default that is what the source is configured to. A broker or database that is away is
    waited for, and so is a source that cannot be read: what keeps it is told once, and stands in
    its note until a pass succeeds. One that is paused is left alone.
    ``on_progress`` is also called after the first pass that succeeds, if only to say so.

    Raises:
        MappingError: the mapping is wrong.
        psycopg.Error: the database refuses the work itself, which no later try would mend.
    """
    mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    poll_s = source.poll_s if poll_s is None else poll_s
    pause = poll_s
    while not stop.is_set():
        try:
            publisher = KafkaPublisher(cluster)
            try:
                with open_door(source, mapping, publisher, database_url, on_progress) as door:
                    reader, told = Heeding(reader_of(source, mapping), door), False
                    condition = Condition(door)
                    while not stop.is_set():
                        resting_s = _LOOK_S
                        if paused_since(door) is None:
                            passed = _follow_once(door, reader, condition)
                            if passed and not told and on_progress is not None:
                                on_progress(door.report)
                                told = True
                            resting_s = pause = poll_s
                        with door.resting():
                            stop.wait(resting_s)
            finally:
                publisher.close()
        except Exception as error:
            if not passes_by_itself(error):
                raise
            log.warning("source_interrupted", source=source.name, error=str(error), pause_s=pause)
            stop.wait(pause)
            pause = min(pause * 2, 30.0)


def _follow_once(door: Door, reader: Reader, condition: Condition) -> bool:
    """Whether the source was there, and read to its end."""
    started, passed = monotonic(), False
    try:
        make_pass(door, reader, final=False)
        passed = True
    except SourceError as error:
        condition.failed(error)
    else:
        condition.passed()
    door.report.seconds += monotonic() - started
    return passed
