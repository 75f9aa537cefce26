"""What a backfill has brought: over it a later content of the same backfill may stand.

Every function works in the caller's transaction and for one source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

#: A type of documents, or a stream of kept rows, and a key in it.
Place = tuple[str, str]


def brought(connection: Connection, source: str, wanted: Collection[Place]) -> dict[Place, str]:
    """By place the mark of the content that a backfill brought last."""
    if not wanted:
        return {}
    kinds, keys = (list(column) for column in zip(*wanted, strict=True))
    found = connection.execute(
        """
        SELECT b.kind, b.key, b.mark FROM backfilled_contents b
        JOIN unnest(%s::text[], %s::text[]) AS w (kind, key)
            ON b.kind = w.kind AND b.key = w.key
        WHERE b.source = %s
        """,
        (kinds, keys, source),
    )
    return {(kind, key): mark for kind, key, mark in found}


def remember(connection: Connection, source: str, marks: Mapping[Place, str]) -> None:
    """Keep the marks of contents that are being brought."""
    if not marks:
        return
    connection.execute(
        """
        INSERT INTO backfilled_contents (source, kind, key, mark)
        SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[])
        ON CONFLICT (source, kind, key) DO UPDATE SET mark = excluded.mark
        """,
        (source, [kind for kind, _ in marks], [key for _, key in marks], list(marks.values())),
    )


def forget(connection: Connection, source: str) -> None:
    """The backfill has ended: whatever comes next is another one."""
    connection.execute("DELETE FROM backfilled_contents WHERE source = %s", (source,))
