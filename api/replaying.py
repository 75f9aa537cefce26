"""Tries events again that were refused when they were published, by today's contracts and rules."""

from __future__ import annotations

import orjson

from api.event_reading import Content, Reading, read_events
from api.problems import Problem, Refused
from api.refused_events import attributes_of
from connectors.letters import header_texts
from connectors.mapping.values import shown
from connectors.publish import KafkaPublisher
from connectors.pushed.late import take_late
from connectors.pushed.settling import Pushed
from connectors.pushed.source_rights import SourceRights
from hub.kafka import Cluster
from hub.settings import Api, Settings
from hub.source_settings import HttpSource
from sinks.dead_letters import DeadLetter
from sinks.session import Session

#: The door holds a source for as long as a batch takes.
_WAIT_S = 5.0


def replay_event(
    letter_id: int, letter: DeadLetter, settings: Settings, cluster: Cluster, database_url: str
) -> str | None:
    """Publish the event of a dead letter.

    Returns:
        Why it is refused again; None where it was published.

    Raises:
        ReplayError: something newer has come since.
        SourceBusy: another process keeps its source.
        PublishError: the broker did not take it.
    """
    event = _event_of(letter_id, letter, settings)
    if isinstance(event, str):
        return event
    session = Session(database_url, name="headrace replay writer")
    rights = SourceRights(database_url, wait_s=_WAIT_S)
    publisher = KafkaPublisher(cluster)
    try:
        rejection = take_late(session, publisher, rights, event, letter_id)
    finally:
        publisher.close()
        rights.close()
        session.close()
    return None if rejection is None else rejection.reason


def _event_of(letter_id: int, letter: DeadLetter, settings: Settings) -> Pushed | str:
    """The event as it is read today; or why it cannot be."""
    texts = header_texts(letter)
    value = letter.value or b""
    if "size" in texts:
        return (
            f"it had {texts['size']} bytes, of which the first {len(value)} are kept: have its"
            f" sender publish it anew, and close it with `headrace dead-letters close {letter_id}`"
        )
    request = (letter.place or "").removeprefix("http:").rpartition(":")[0]
    hooks = {one.name for one in settings.sources if isinstance(one, HttpSource)}
    read_elsewhere = frozenset(one.name for one in settings.sources) - hooks
    reading = Reading(settings.api or Api(), int(texts["arrived_at"]), request, read_elsewhere)
    content = Content(texts["media_type"], attributes_of(texts), value)
    try:
        events = read_events(texts["address"] or None, content, reading)
    except Problem as problem:
        return problem.detail
    if not events.single:
        return letter.reason
    (event,) = events.handed
    if isinstance(event, Refused):
        return event.detail
    if "sources" in texts and event.source not in orjson.loads(texts["sources"]):
        return f"its sender may not publish for the source {shown(event.source)}"
    event.draft.place = letter.place or ""
    return event
