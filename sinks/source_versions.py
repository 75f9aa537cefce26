"""Contents that documents of a source have had, and the versions that these got.

Every function works in the caller's transaction and for one source.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sinks.cursors import read_note, save_note

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A content that a document had, and the version that it got."""

    document: str
    key: str
    change_date: str
    digest: bytes
    version: int


def unconfirmed(connection: Connection, source: str) -> list[Seen]:
    """Contents that were about to be published under these versions when the process ended.

    Each is in the log or it is not; nobody else may get its version.
    """
    return [
        Seen(document, key, date, bytes.fromhex(digest), version)
        for document, key, date, digest, version in read_note(connection, source).get(
            "unconfirmed", ()
        )
    ]


def save_unconfirmed(connection: Connection, source: str, about_to: Sequence[Seen]) -> None:
    """Remember what is about to be published, in place of what was before."""
    entries = [
        [one.document, one.key, one.change_date, one.digest.hex(), one.version] for one in about_to
    ]
    save_note(connection, source, {"unconfirmed": entries})


def seen_at(
    connection: Connection, source: str, wanted: Collection[tuple[str, str, str]]
) -> list[Seen]:
    """All contents seen of these (document, key, change date)."""
    if not wanted:
        return []
    documents, keys, dates = (list(column) for column in zip(*wanted, strict=True))
    # OFFSET 0 has each looked up by its key: of a table that was not analysed yet the planner
    # expects a single row, and compares all that are there with all that are wanted.
    found = connection.execute(
        """
        SELECT w.document, w.key, w.change_date, v.digest, v.version
        FROM unnest(%b::text[], %b::text[], %b::text[]) AS w (document, key, change_date)
        CROSS JOIN LATERAL (
            SELECT digest, version FROM source_versions
            WHERE source = %s AND document = w.document AND key = w.key
                AND change_date = w.change_date
            OFFSET 0
        ) v
        """,
        (documents, keys, dates, source),
    )
    return [Seen(row[0], row[1], row[2], bytes(row[3]), row[4]) for row in found]


def newest_seen(
    connection: Connection, source: str, wanted: Collection[tuple[str, str]]
) -> list[Seen]:
    """The newest version of each of these (document, key) that has one."""
    if not wanted:
        return []
    documents, keys = (list(column) for column in zip(*wanted, strict=True))
    found = connection.execute(
        """
        SELECT w.document, w.key, v.change_date, v.digest, v.version
        FROM unnest(%b::text[], %b::text[]) AS w (document, key)
        CROSS JOIN LATERAL (
            SELECT change_date, digest, version FROM source_versions
            WHERE source = %s AND document = w.document AND key = w.key
            ORDER BY version DESC LIMIT 1
        ) v
        """,
        (documents, keys, source),
    )
    return [Seen(row[0], row[1], row[2], bytes(row[3]), row[4]) for row in found]


def seen_since(
    connection: Connection, source: str, wanted: Collection[tuple[str, str]], letter_id: int
) -> list[Seen]:
    """The contents of these (document, key) that came with or after that dead letter."""
    if not wanted:
        return []
    documents, keys = (list(column) for column in zip(*wanted, strict=True))
    found = connection.execute(
        """
        SELECT v.document, v.key, v.change_date, v.digest, v.version
        FROM source_versions v JOIN unnest(%s::text[], %s::text[]) AS w (document, key)
            ON v.document = w.document AND v.key = w.key
        WHERE v.source = %s AND v.after_letter >= %s
        """,
        (documents, keys, source, letter_id),
    )
    return [Seen(row[0], row[1], row[2], bytes(row[3]), row[4]) for row in found]


def date_back(connection: Connection, source: str, seen: Sequence[Seen], letter_id: int) -> None:
    """Have contents count as if they had come when that dead letter was made."""
    for one in seen:
        connection.execute(
            """
            UPDATE source_versions SET after_letter = %s WHERE source = %s
                AND document = %s AND key = %s AND change_date = %s AND digest = %s
            """,
            (letter_id, source, one.document, one.key, one.change_date, one.digest),
        )


def save_seen(connection: Connection, source: str, seen: Sequence[Seen]) -> None:
    """Remember contents; one that comes back under its date has its newest version."""
    # A statement may not touch a row twice: the last of equal ones counts.
    last = {(one.document, one.key, one.change_date, one.digest): one for one in seen}
    if not last:
        return
    connection.execute(
        """
        INSERT INTO source_versions
            (source, document, key, change_date, digest, version, after_letter)
        SELECT %s, s.*, (SELECT coalesce(max(id), 0) FROM dead_letters)
        FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::bigint[]) s
        ON CONFLICT (source, document, key, change_date, digest)
            DO UPDATE SET version = excluded.version, after_letter = excluded.after_letter
        """,
        (
            source,
            [one.document for one in last.values()],
            [one.key for one in last.values()],
            [one.change_date for one in last.values()],
            [one.digest for one in last.values()],
            [one.version for one in last.values()],
        ),
    )
