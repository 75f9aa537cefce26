"""How far sources were read, who may read them, and which of their documents are to be built.

Every function but ``source_lock`` works in the caller's transaction and for one source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hub.clock import utc_now
from sinks.database import connect

Connection = psycopg.Connection[Any]

_LOCK_CLASS = 7301
_LOCK_WAIT_S = 30.0
#: The unit of what the connector notes for itself: no file has this name.
_NOTE = ""


class SourceBusy(Exception):
    """Another process reads ``source``."""

    def __init__(self, source: str) -> None:
        super().__init__(f"source {source!r} is being read by another process")
        self.source = source


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document to be built: of which row, since when, and what it lacks ("" = nothing known)."""

    row_key: str
    since: datetime
    missing: str


@contextmanager
def source_lock(url: str, source: str, wait_s: float = _LOCK_WAIT_S) -> Iterator[Connection]:
    """Hold the right to read ``source``, on a connection of its own; it ends with the process.

    Raises:
        SourceBusy: another process still holds it after ``wait_s`` seconds.
    """
    with connect(url, name=f"headrace source {source}") as connection:
        connection.autocommit = True
        take_source(connection, source, wait_s)
        yield connection


def take_source(connection: Connection, source: str, wait_s: float = _LOCK_WAIT_S) -> None:
    """Take the right to read ``source`` for the session of ``connection``.

    Raises:
        SourceBusy: another process still holds it after ``wait_s`` seconds.
    """
    deadline = monotonic() + wait_s
    while not _try_lock(connection, source):
        if monotonic() > deadline:
            raise SourceBusy(source)
        sleep(0.1)


def leave_source(connection: Connection, source: str) -> None:
    """Let another process read ``source``, until it is taken again."""
    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK_CLASS, source))


def _try_lock(connection: Connection, source: str) -> bool:
    row = connection.execute(
        "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK_CLASS, source)
    ).fetchone()
    return row is not None and bool(row[0])


def cursor_states(connection: Connection, source: str) -> dict[str, dict[str, Any]]:
    """How far each unit of the source was read, by unit."""
    rows = connection.execute("SELECT unit, state FROM source_cursors WHERE source = %s", (source,))
    return dict(rows.fetchall())


def read_note(connection: Connection, source: str) -> dict[str, Any]:
    """What the connector has noted for itself."""
    row = connection.execute(
        "SELECT state FROM source_cursors WHERE source = %s AND unit = %s", (source, _NOTE)
    ).fetchone()
    return {} if row is None else dict(row[0])


def save_note(connection: Connection, source: str, note: Mapping[str, Any]) -> None:
    """Set these entries of the connector's note; its other entries stay."""
    connection.execute(
        """
        INSERT INTO source_cursors (source, unit, state) VALUES (%s, %s, %s)
        ON CONFLICT (source, unit) DO UPDATE
            SET state = source_cursors.state || excluded.state, updated_at = now()
        """,
        (source, _NOTE, Jsonb(dict(note))),
    )


def pause(connection: Connection, source: str) -> None:
    """Have nobody read the source until it is resumed."""
    now = utc_now().isoformat(timespec="seconds")
    save_note(
        connection, source, {"paused_at": read_note(connection, source).get("paused_at") or now}
    )


def resume(connection: Connection, source: str) -> None:
    """Have the source read again."""
    save_note(connection, source, {"paused_at": None})


def paused_at(connection: Connection, source: str) -> str | None:
    """Since when (ISO 8601) the source is paused; None if it is not."""
    return read_note(connection, source).get("paused_at")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one unit of a source was read, and when that was last so."""

    unit: str
    state: Mapping[str, Any]
    updated_at: datetime


def cursors_of(connection: Connection, source: str) -> list[Cursor]:
    """The cursors of a source by unit, the connector's own note left out."""
    found = connection.execute(
        """
        SELECT unit, state, updated_at FROM source_cursors
        WHERE source = %s AND unit <> %s ORDER BY unit
        """,
        (source, _NOTE),
    )
    return [Cursor(*row) for row in found]


def forget_cursors(connection: Connection, source: str, units: Collection[str]) -> None:
    """Have these units read from their beginning."""
    connection.execute(
        "DELETE FROM source_cursors WHERE source = %s AND unit = ANY(%s)", (source, list(units))
    )


def save_cursors(
    connection: Connection, source: str, states: Mapping[str, Mapping[str, Any]]
) -> None:
    """Remember how far units were read, by unit."""
    connection.execute(
        """
        INSERT INTO source_cursors (source, unit, state)
        SELECT %s, key, value FROM jsonb_each(%s)
        ON CONFLICT (source, unit) DO UPDATE SET state = excluded.state, updated_at = now()
        """,
        (source, Jsonb(states)),
    )


def touch(connection: Connection, source: str, event: str, row_keys: Iterable[str]) -> None:
    """Have the documents of these rows built at the end of the pass."""
    connection.execute(
        """
        INSERT INTO source_waiting (source, document, row_key, missing)
        SELECT %s, %s, unnest(%s::text[]), ''
        ON CONFLICT (source, document, row_key) DO UPDATE SET missing = ''
        """,
        (source, event, sorted(row_keys)),
    )


def waiting(
    connection: Connection, source: str, event: str, after: str, limit: int, everything: bool
) -> list[Waiting]:
    """The next rows, by key behind ``after``, whose documents of ``event`` are to be built.

    With ``everything`` also those that were found to lack a part, and were not touched since.
    """
    found = connection.execute(
        """
        SELECT row_key, since, missing FROM source_waiting
        WHERE source = %s AND document = %s AND row_key > %s AND (%s OR missing = '')
        ORDER BY row_key LIMIT %s
        """,
        (source, event, after, everything, limit),
    )
    return [Waiting(*row) for row in found]


def settle_waiting(
    connection: Connection,
    source: str,
    event: str,
    done: Collection[str],
    missing: Mapping[str, str],
) -> None:
    """Strike out what was built, and note what the others lack."""
    if done:
        connection.execute(
            "DELETE FROM source_waiting WHERE source = %s AND document = %s AND row_key = ANY(%s)",
            (source, event, list(done)),
        )
    if missing:
        connection.execute(
            """
            UPDATE source_waiting s SET missing = m.missing
            FROM unnest(%s::text[], %s::text[]) AS m (row_key, missing)
            WHERE s.source = %s AND s.document = %s AND s.row_key = m.row_key
            """,
            (list(missing), list(missing.values()), source, event),
        )


def waiting_counts(connection: Connection, source: str) -> tuple[int, int]:
    """How many documents of the source are to be built, and how many lack a part."""
    row = connection.execute(
        """
        SELECT count(*) FILTER (WHERE missing = ''), count(*) FILTER (WHERE missing <> '')
        FROM source_waiting WHERE source = %s
        """,
        (source,),
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
