"""Opens the door of a source: the right to read it, its mapping and its database connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.door import Door
from connectors.mapping.model import SourceMapping
from connectors.publish import Publisher
from connectors.report import OnProgress, SourceReport
from hub.source_settings import Source
from sinks import cursors
from sinks.session import Session


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

        @contextmanager
        def resting() -> Iterator[None]:
            cursors.leave_source(lock, source.name)
            yield
            cursors.take_source(lock, source.name)

        try:
            yield Door(
                source=source.name,
                mapping=mapping,
                session=session,
                publisher=publisher,
                report=SourceReport(source.name),
                held=held,
                resting=resting,
                on_progress=on_progress,
            )
        finally:
            session.close()
