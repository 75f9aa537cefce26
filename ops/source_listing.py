"""Lists the configured sources with how far they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from hub.source_settings import Source
from ops.status import instant_text
from sinks.tables import source_cursors, source_waiting


def list_sources(engine: Engine, sources: Sequence[Source]) -> dict[str, Any]:
    """``sources list --json``: each with its files read so far and documents that wait."""
    cursor, waits = source_cursors.c, source_waiting.c
    with engine.connect() as connection:
        read = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                # The unit without a name is the connector's own note, and no file.
                select(cursor.source, func.count(), func.max(cursor.updated_at))
                .where(cursor.unit != "")
                .group_by(cursor.source)
            )
        }
        notes = {
            row[0]: row[1]
            for row in connection.execute(
                select(cursor.source, cursor.state).where(cursor.unit == "")
            )
        }
        waiting = {
            row[0]: row[1]
            for row in connection.execute(select(waits.source, func.count()).group_by(waits.source))
        }
    rows = []
    for source in sources:
        files, last = read.get(source.name, (0, None))
        note = notes.get(source.name, {})
        rows.append(
            {
                "name": source.name,
                "kind": source.kind,
                "reads": source.reads,
                "mapping": source.mapping,
                "files": files,
                "last_read": instant_text(last),
                "waiting": waiting.get(source.name, 0),
                "paused_at": note.get("paused_at"),
                "failing": note.get("failing"),
            }
        )
    return {"sources": rows}
