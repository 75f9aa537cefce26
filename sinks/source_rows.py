"""Rows of joined streams, and the keys by which they find each other.

Every function works in the caller's transaction and for one source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg

Connection = psycopg.Connection[Any]

#: In UTF-8. An index entry has room for 2704 bytes; the names of source, stream and join, a date
#: and a digest stand in it beside the key.
LONGEST_KEY_BYTES = 2000


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of a joined stream; ``digests`` are of the contents seen for ``change_date``.

    ``gone`` says that its record is no longer in the source.
    """

    key: str
    row: dict[str, Any]
    place: str
    change_date: str
    digests: tuple[str, ...]
    gone: bool = False


def rows_by_key(
    connection: Connection, source: str, stream: str, keys: Collection[str]
) -> dict[str, StoredRow]:
    """The rows of a stream by their keys, those that are gone too."""
    found = connection.execute(
        """
        SELECT row_key, row, place, change_date, digests, gone FROM source_rows
        WHERE source = %s AND stream = %s AND row_key = ANY(%s)
        """,
        (source, stream, list(keys)),
    )
    return {row[0]: _stored(row) for row in found}


def rows_since(
    connection: Connection, source: str, stream: str, keys: Collection[str], letter_id: int
) -> dict[str, StoredRow]:
    """The rows of a stream that came, or went, with or after that dead letter."""
    found = connection.execute(
        """
        SELECT row_key, row, place, change_date, digests, gone FROM source_rows
        WHERE source = %s AND stream = %s AND row_key = ANY(%s) AND after_letter >= %s
        """,
        (source, stream, list(keys), letter_id),
    )
    return {row[0]: _stored(row) for row in found}


def date_back(
    connection: Connection, source: str, stream: str, keys: Collection[str], letter_id: int
) -> None:
    """Have rows count as if they had come when that dead letter was made."""
    connection.execute(
        """
        UPDATE source_rows SET after_letter = %s
        WHERE source = %s AND stream = %s AND row_key = ANY(%s) AND after_letter > %s
        """,
        (letter_id, source, stream, list(keys), letter_id),
    )


def _stored(row: Sequence[Any]) -> StoredRow:
    return StoredRow(row[0], row[1], row[2], row[3], tuple(row[4]), row[5])


def rows_by_link(
    connection: Connection, source: str, stream: str, side: str, keys: Collection[str]
) -> dict[str, list[StoredRow]]:
    """The rows of a stream that have one of these keys at that side of a join, by join key.

    Those that are gone are among them.
    """
    found = connection.execute(
        """
        SELECT l.join_key, r.row_key, r.row, r.place, r.change_date, r.digests, r.gone
        FROM source_row_links l JOIN source_rows r USING (source, stream, row_key)
        WHERE l.source = %s AND l.stream = %s AND l.join_name = %s AND l.join_key = ANY(%s)
        """,
        (source, stream, side, list(keys)),
    )
    rows: dict[str, list[StoredRow]] = {}
    for join_key, *row in found:
        rows.setdefault(join_key, []).append(_stored(row))
    return rows


def keys_by_link(
    connection: Connection, source: str, stream: str, side: str, keys: Collection[str]
) -> dict[str, list[str]]:
    """The keys of the rows that have one of these keys at that side of a join, by join key."""
    found = connection.execute(
        """
        SELECT join_key, row_key FROM source_row_links
        WHERE source = %s AND stream = %s AND join_name = %s AND join_key = ANY(%s)
        """,
        (source, stream, side, list(keys)),
    )
    rows: dict[str, list[str]] = {}
    for join_key, row_key in found:
        rows.setdefault(join_key, []).append(row_key)
    return rows


def save_rows(connection: Connection, source: str, stream: str, rows: Sequence[StoredRow]) -> None:
    """Keep these rows in place of those that stood under their keys."""
    if not rows:
        return
    connection.execute(
        """
        INSERT INTO source_rows
            (source, stream, row_key, change_date, digests, row, place, after_letter)
        SELECT %s, %s, r.*, (SELECT coalesce(max(id), 0) FROM dead_letters)
        FROM jsonb_to_recordset(%s::text::jsonb)
            AS r (key text, change_date text, digests jsonb, row jsonb, place text)
        ON CONFLICT (source, stream, row_key) DO UPDATE SET change_date = excluded.change_date,
            digests = excluded.digests, row = excluded.row, place = excluded.place, gone = false,
            after_letter = excluded.after_letter
        """,
        (source, stream, _json(rows)),
    )


def newest_digests(
    connection: Connection, source: str, stream: str, keys: Collection[str]
) -> dict[str, str]:
    """The digests of the rows that stand under these keys."""
    found = connection.execute(
        """
        SELECT row_key, digests ->> -1 FROM source_rows
        WHERE source = %s AND stream = %s AND row_key = ANY(%s) AND NOT gone
        """,
        (source, stream, list(keys)),
    )
    return dict(found.fetchall())


def count_standing(connection: Connection, source: str, stream: str) -> int:
    """How many rows of a stream stand."""
    row = connection.execute(
        "SELECT count(*) FROM source_rows WHERE source = %s AND stream = %s AND NOT gone",
        (source, stream),
    ).fetchone()
    return int(row[0]) if row else 0


def standing_keys(
    connection: Connection, source: str, stream: str, after: str, limit: int
) -> list[str]:
    """The next keys behind ``after``, in their order, of the rows of a stream that stand."""
    found = connection.execute(
        """
        SELECT row_key FROM source_rows
        WHERE source = %s AND stream = %s AND row_key > %s AND NOT gone
        ORDER BY row_key LIMIT %s
        """,
        (source, stream, after, limit),
    )
    return [row[0] for row in found]


def mark_gone(
    connection: Connection, source: str, stream: str, keys: Collection[str]
) -> dict[str, dict[str, str]]:
    """Note that rows are no longer in the source: they stay for the last word on their documents.

    Returns:
        By which keys those that stood are found: {row key: {side of a join: key}}.
    """
    marked = connection.execute(
        """
        UPDATE source_rows
        SET gone = true, after_letter = (SELECT coalesce(max(id), 0) FROM dead_letters)
        WHERE source = %s AND stream = %s AND row_key = ANY(%s) AND NOT gone
        RETURNING row_key
        """,
        (source, stream, list(keys)),
    )
    links: dict[str, dict[str, str]] = {row[0]: {} for row in marked}
    found = connection.execute(
        """
        SELECT row_key, join_name, join_key FROM source_row_links
        WHERE source = %s AND stream = %s AND row_key = ANY(%s)
        """,
        (source, stream, list(links)),
    )
    for row_key, side, key in found:
        links[row_key][side] = key
    return links


def remove_links(
    connection: Connection, source: str, stream: str, keys: Collection[str]
) -> dict[str, dict[str, str]]:
    """Forget by which keys these rows are found; return it: {row key: {side of a join: key}}."""
    old: dict[str, dict[str, str]] = {}
    removed = connection.execute(
        """
        DELETE FROM source_row_links WHERE source = %s AND stream = %s AND row_key = ANY(%s)
        RETURNING row_key, join_name, join_key
        """,
        (source, stream, list(keys)),
    )
    for row_key, side, key in removed:
        old.setdefault(row_key, {})[side] = key
    return old


def add_links(
    connection: Connection, source: str, stream: str, links: Mapping[str, Mapping[str, str]]
) -> None:
    """Have rows that have no links found by these keys: {row key: {side of a join: key}}."""
    connection.execute(
        """
        INSERT INTO source_row_links (source, stream, row_key, join_name, join_key)
        SELECT %s, %s, row.key, link.key, link.value
        FROM jsonb_each(%s::text::jsonb) AS row, jsonb_each_text(row.value) AS link
        """,
        (source, stream, _json(links)),
    )


def _json(values: Any) -> str:
    # One text for a whole statement: psycopg spends longer on an array of JSON, value by value,
    # than the server on keeping it.
    return orjson.dumps(values).decode()
