"""Changes on their way out: marks of view keys, written with the effects, published by the relay.

A mark carries no content: the relay reads the view when it publishes, so a key that changed a
hundred times since is published once, as it stands then, and two workers need not meet on a view
row to keep its publications in order (docs/decisions/0003).
"""

from __future__ import annotations

from typing import Any

import psycopg

from sinks.changes import Marks


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
