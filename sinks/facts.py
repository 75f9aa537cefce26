"""The facts: the newest version of every document, laid in by the batch, once.

The highest (version, digest) of a key wins, whatever the order of arrival. Two contents under one
precise version are a conflict: the one with the larger digest stays, the other is a dead letter
(DOMAIN §2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import psycopg

from schemas.catalogue import DOCUMENTS
from schemas.codec import Decoded, Rejected, decode_batch
from sinks.changes import Change, Origin
from sinks.dead_letters import DeadLetter
from sinks.staging import staging

FACTS = staging(
    "facts",
    "key text, version int8, digest bytea, deleted bool, cancelled bool, occurred_at timestamptz, "
    "schema_id int4, body bytea",
)

_COLUMNS = "key, version, digest, deleted, cancelled, occurred_at, schema_id, body"


class Arrival(NamedTuple):
    """A decoded record: its key, its content, and where it stood in the log."""

    key: str
    content: Decoded
    origin: Origin | None

    @property
    def rank(self) -> tuple[int, bytes]:
        """What decides which of two contents of a key stays."""
        return self.content.document["version"], self.content.digest


def lay(
    connection: psycopg.Connection[Any], document: str, arrivals: Iterable[Arrival]
) -> tuple[list[Change], list[DeadLetter]]:
    """Lay documents of one type into their facts, in the caller's transaction.

    Returns:
        The changes, ordered by key, for those that became the newest version; and a dead letter
        for the loser of each conflict.
    """
    newest, letters = newest_of(document, arrivals)
    if not newest:
        return [], letters
    FACTS.fill(
        connection,
        (
            (
                arrival.key,
                arrival.content.document["version"],
                arrival.content.digest,
                arrival.content.document["deleted"],
                arrival.content.document.get("status") == "cancelled",
                arrival.content.document["occurred_at"],
                arrival.content.schema_id,
                arrival.content.body,
            )
            for arrival in newest.values()
        ),
    )
    taken = connection.execute(
        f"""
        INSERT INTO fact_{document} AS fact ({_COLUMNS})
        SELECT {_COLUMNS} FROM stage_facts ORDER BY key
        ON CONFLICT (key) DO UPDATE SET version = excluded.version, digest = excluded.digest,
            deleted = excluded.deleted, cancelled = excluded.cancelled,
            occurred_at = excluded.occurred_at, schema_id = excluded.schema_id,
            body = excluded.body
        WHERE (excluded.version, excluded.digest) > (fact.version, fact.digest)
        RETURNING new.key, old.version,
            CASE WHEN old.version = new.version THEN old.body END
        """
    ).fetchall()
    changes = []
    for key, old_version, beaten in taken:
        arrival = newest[key]
        changes.append(Change(key, arrival.content.document, old_version is None, arrival.origin))
        if beaten is not None:
            letters.append(conflict(document, key, arrival.rank[0], bytes(beaten)))
    if len(taken) < len(newest):
        for key, version, body in connection.execute(
            f"""
            SELECT stage.key, stage.version, stage.body
            FROM stage_facts AS stage JOIN fact_{document} AS fact USING (key, version)
            WHERE stage.digest <> fact.digest
            """
        ):
            letters.append(conflict(document, key, version, bytes(body)))
    FACTS.empty(connection)
    changes.sort(key=lambda change: change.key)
    return changes, letters


def newest_of(
    document: str, arrivals: Iterable[Arrival]
) -> tuple[dict[str, Arrival], list[DeadLetter]]:
    """Return the newest arrival of each key, and a dead letter for each loser of a conflict."""
    newest: dict[str, Arrival] = {}
    letters: list[DeadLetter] = []
    for arrival in arrivals:
        other = newest.setdefault(arrival.key, arrival)
        if other is arrival:
            continue
        older, newer = sorted((other, arrival), key=lambda one: one.rank)
        newest[arrival.key] = newer
        if older.rank[0] == newer.rank[0] and older.rank[1] != newer.rank[1]:
            letters.append(conflict(document, older.key, older.rank[0], older.content.body))
    return newest, letters


def conflict(document: str, key: str, version: int, body: bytes) -> DeadLetter:
    """Return the dead letter of a content that lost against another one of the same version."""
    return DeadLetter(
        stage="facts",
        document=document,
        code="version_conflict",
        reason=(
            f"{document} {key}: version {version} came with two contents; the other one stays. "
            "Mend the source so that each change has a version of its own."
        ),
        place=f"{key}@{version}",
        key=key.encode(),
        value=body,
    )


def erase(connection: psycopg.Connection[Any], document: str, keys: Sequence[str]) -> list[Change]:
    """Erase documents for which a tombstone came; return a change for each that was there."""
    if not keys:
        return []
    rows = connection.execute(
        f"DELETE FROM fact_{document} WHERE key = ANY(%b) RETURNING key", (list(keys),)
    ).fetchall()
    return [Change(key, {}, False, None) for (key,) in sorted(rows)]


def read(
    connection: psycopg.Connection[Any], document: str, keys: Sequence[str] | None = None
) -> Iterable[Change]:
    """Yield the facts of one type in key order, decoded, as changes that were there before.

    Args:
        keys: only these; all where None (read through a server-side cursor).
    """
    topic = DOCUMENTS[document]
    query = f"SELECT key, schema_id, body FROM fact_{document}"
    parameters: tuple[Any, ...] = ()
    if keys is not None:
        query, parameters = query + " WHERE key = ANY(%b)", (list(keys),)
    with connection.cursor(name=f"facts_of_{document}") as cursor:
        cursor.itersize = 2_000
        cursor.execute(query + " ORDER BY key", parameters)
        while rows := cursor.fetchmany(2_000):
            wires = [
                b"\0" + schema_id.to_bytes(4, "big") + bytes(body) for _, schema_id, body in rows
            ]
            for (key, _, _), content in zip(rows, decode_batch(topic, wires), strict=True):
                if isinstance(content, Rejected):
                    raise RuntimeError(f"fact {document} {key} cannot be read: {content.reason}")
                assert isinstance(content, Decoded)
                yield Change(key, content.document, False, None)
