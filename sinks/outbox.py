"""Changes on their way out: marks of view keys, written with the effects, published by the relay.

A mark carries no content: the relay reads the view when it publishes, so a key that changed a
hundred times since is published once, as it stands then, and two workers need not meet on a view
row to keep its publications in order (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from sinks.changes import Marks

#: More keys than these are not kept in memory so that each is written once.
MANY = 100_000


def write(connection: psycopg.Connection[Any], marks: Marks) -> int:
    """Insert ``marks`` in the caller's transaction; return how many."""
    rows = [(subject, key) for subject, keys in marks.keys.items() for key in sorted(keys)]
    if not rows:
        return 0
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY outbox (subject, key) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["text", "text"])
        for row in rows:
            copy.write_row(row)
    return len(rows)


class Gathering:
    """Marks of many batches in one transaction, each key written once, or seldom more often."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.marks = Marks()

    def write_many(self) -> None:
        """Write the marks if they are so many that they should not be kept any longer."""
        if sum(map(len, self.marks.keys.values())) >= MANY:
            self.write()

    def write(self) -> None:
        """Write the marks; none is left."""
        write(self._connection, self.marks)
        self.marks.keys.clear()


def mark_published(connection: psycopg.Connection[Any], subjects: Mapping[str, str]) -> None:
    """Mark every key that was ever published, in the caller's transaction.

    What stands behind them is published anew where it is another now, and gets a tombstone where
    there is nothing any more.

    Args:
        subjects: for each view topic the subject of a mark by a view's key.
    """
    connection.execute(
        """
        INSERT INTO outbox (subject, key)
        SELECT DISTINCT subject, key FROM published_views
        JOIN unnest(%b::text[], %b::text[]) AS wanted (topic, subject) USING (topic)
        """,
        (list(subjects), list(subjects.values())),
    )
