"""The facts: the newest version of every document, laid in by the batch, once.

The highest (version, digest) of a key wins, whatever the order of arrival. Two contents under one
precise version are a conflict: the one with the larger digest stays, the other is a dead letter
(DOMAIN §2). Digests are of contents as the present contract has them; a fact that was laid under
an earlier version of it keeps its body and digest until a record of its version has to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg

from schemas.catalogue import DOCUMENTS
from schemas.codec import Decoded, Rejected, decode_batch, message
from sinks.changes import Change, Origin
from sinks.dead_letters import DeadLetter
from sinks.projection import COLUMNS, NOTHING, PROJECTED, customer_of, projected
from sinks.staging import staging

#: Amounts travel as text, see `sinks.projection.projected`.
_PROJECTED_TYPES = ", ".join(
    f"{name} {'text' if kind == 'numeric' else kind}" for name, kind in COLUMNS
)
FACTS = staging(
    "facts",
    "key text, version int8, digest bytea, deleted bool, cancelled bool, occurred_at timestamptz, "
    f"schema_id int4, body bytea, {_PROJECTED_TYPES}",
)

_COLUMNS = ("key", "version", "digest", "deleted", "cancelled", "occurred_at", "schema_id", "body")
_PROJECTION = tuple(name for name, _ in COLUMNS)
_CASTS = {name: f"{name}::numeric" for name, kind in COLUMNS if kind == "numeric"}


def _lay_statement(document: str) -> str:
    """Return the statement that lays the staged facts: it returns what was not simply new.

    Its rows are (key, version before, schema and body that lost against it, customer before) of
    each document that replaced one, and a row with nothing but the key for each that was not taken.
    """
    columns = _COLUMNS + (_PROJECTION if document in PROJECTED else ())
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "key")
    customer = "old.customer_key" if document in PROJECTED else "NULL"
    return f"""
        WITH taken AS (
            INSERT INTO fact_{document} AS fact ({", ".join(columns)})
            SELECT {", ".join(_CASTS.get(name, name) for name in columns)}
            FROM stage_facts ORDER BY key
            ON CONFLICT (key) DO UPDATE SET {changes}
            WHERE excluded.version > fact.version OR excluded.version = fact.version
                AND excluded.schema_id = fact.schema_id AND excluded.digest > fact.digest
            RETURNING new.key, old.version AS version_before, {customer} AS customer_before,
                old.schema_id, CASE WHEN old.version = new.version THEN old.body END AS beaten
        )
        SELECT key, version_before, schema_id, beaten, customer_before FROM taken
        WHERE version_before IS NOT NULL
        UNION ALL SELECT key, NULL, NULL, NULL, NULL
        FROM (SELECT key FROM stage_facts EXCEPT SELECT key FROM taken) AS refused
    """


_LAY = {document: _lay_statement(document) for document in DOCUMENTS}


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
    connection: psycopg.Connection[Any], document: str, arrivals: Sequence[Arrival]
) -> tuple[list[Change], list[DeadLetter]]:
    """Lay documents of one type into their facts, in the caller's transaction.

    Returns:
        The changes, ordered by key, for those that became the newest version; and a dead letter
        for the loser of each conflict.
    """
    newest, letters = newest_of(document, arrivals)
    if not newest:
        return [], letters
    keys = sorted(newest)
    columns = [_projected(document, newest[key].content.document) for key in keys]
    FACTS.fill(
        connection,
        (
            _row(key, newest[key].content, projection)
            for key, projection in zip(keys, columns, strict=True)
        ),
    )
    replaced: dict[str, str | None] = {}
    refused = set()
    for key, version_before, schema_id, beaten, customer_before in connection.execute(
        _LAY[document]
    ):
        if version_before is None:
            refused.add(key)
            continue
        replaced[key] = customer_before
        if beaten is not None:
            letters.append(conflict(document, key, newest[key].rank[0], schema_id, bytes(beaten)))
    to_compare = _beaten(connection, document, newest, letters) if refused else {}
    changes = [
        Change(
            key,
            newest[key].content.document,
            key not in replaced,
            newest[key].origin,
            projection[0],
            replaced.get(key),
        )
        for key, projection in zip(keys, columns, strict=True)
        if key not in refused
    ]
    if to_compare:
        _renew(connection, document, to_compare)
        FACTS.empty(connection)
        more = lay(connection, document, [newest[key] for key in to_compare])
        changes = sorted([*changes, *more[0]], key=lambda change: change.key)
        letters += more[1]
    return changes, letters


def _beaten(
    connection: psycopg.Connection[Any],
    document: str,
    newest: Mapping[str, Arrival],
    letters: list[DeadLetter],
) -> dict[str, bytes]:
    """Add to ``letters`` the staged arrivals that lost against another content of their version.

    Returns:
        By key, and as messages, the facts of that version which were laid under an earlier
        contract: digests tell nothing there.
    """
    to_compare = {}
    for key, earlier, body in connection.execute(
        f"""
        SELECT stage.key, fact.schema_id,
            CASE WHEN fact.schema_id <> stage.schema_id THEN fact.body END
        FROM stage_facts AS stage JOIN fact_{document} AS fact USING (key, version)
        WHERE stage.digest <> fact.digest
        """
    ):
        if body is None:
            letters.append(beaten_arrival(document, newest[key]))
        else:
            to_compare[key] = message(earlier, bytes(body))
    return to_compare


def _renew(connection: psycopg.Connection[Any], document: str, facts: Mapping[str, bytes]) -> None:
    """Bring facts, by key and as messages of earlier versions, to the present contract."""
    contents = _decoded(document, list(facts), list(facts.values()))
    connection.execute(
        f"""
        UPDATE fact_{document} AS fact
        SET schema_id = %b, digest = now.digest, body = now.body
        FROM unnest(%b::text[], %b::bytea[], %b::bytea[]) AS now (key, digest, body)
        WHERE fact.key = now.key
        """,
        (
            DOCUMENTS[document].schema_id,
            list(facts),
            [content.digest for content in contents],
            [content.body for content in contents],
        ),
    )


def _decoded(document: str, keys: Sequence[str], messages: Sequence[bytes]) -> list[Decoded]:
    """Return the contents of facts; of what the facts hold none may be unreadable."""
    contents = []
    for key, content in zip(keys, decode_batch(DOCUMENTS[document], messages), strict=True):
        if isinstance(content, Rejected):
            raise RuntimeError(f"fact {document} {key} cannot be read: {content.reason}")
        assert isinstance(content, Decoded)
        contents.append(content)
    return contents


def _projected(document: str, body: Mapping[str, Any]) -> tuple[Any, ...]:
    return projected(document, body) if document in PROJECTED else NOTHING


def _row(key: str, content: Decoded, projection: tuple[Any, ...]) -> tuple[Any, ...]:
    body = content.document
    return (
        key,
        body["version"],
        content.digest,
        body["deleted"],
        body.get("status") == "cancelled",
        body["occurred_at"],
        content.schema_id,
        content.body,
        *projection,
    )


def newest_of(
    document: str, arrivals: Sequence[Arrival]
) -> tuple[dict[str, Arrival], list[DeadLetter]]:
    """Return the newest arrival of each key, and a dead letter for each loser of a conflict."""
    newest: dict[str, Arrival] = {arrival.key: arrival for arrival in arrivals}
    letters: list[DeadLetter] = []
    if len(newest) == len(arrivals):
        return newest, letters
    newest.clear()
    for arrival in arrivals:
        other = newest.setdefault(arrival.key, arrival)
        if other is arrival:
            continue
        older, newer = sorted((other, arrival), key=lambda one: one.rank)
        newest[arrival.key] = newer
        if older.rank[0] == newer.rank[0] and older.rank[1] != newer.rank[1]:
            letters.append(beaten_arrival(document, older))
    return newest, letters


def beaten_arrival(document: str, arrival: Arrival) -> DeadLetter:
    """Return the dead letter of a record that lost against another content of its version."""
    content, origin = arrival.content, arrival.origin
    letter = conflict(document, arrival.key, arrival.rank[0], content.schema_id, content.body)
    if origin is None:
        return letter
    # Not by its offset: the same record may come again, and is still one conflict.
    place = f"{origin.topic}[{origin.partition}]@{origin.offset}"
    return replace(letter, headers=tuple(origin.headers), error=f"It came by {place}.")


def conflict(document: str, key: str, version: int, schema_id: int, body: bytes) -> DeadLetter:
    """Return the dead letter of a content that lost against another one of the same version."""
    return DeadLetter(
        stage="facts",
        document=document,
        code="version_conflict",
        reason=(
            f"{document} {key}: version {version} came with two contents; the other one stays. "
            "Mend the source so that each change has a version of its own."
        ),
        topic=DOCUMENTS[document].name,
        place=f"{key}@{version}",
        key=key.encode(),
        value=message(schema_id, body),
    )


def erase(connection: psycopg.Connection[Any], document: str, keys: Sequence[str]) -> list[Change]:
    """Erase documents for which a tombstone came; return a change for each that was there."""
    if not keys:
        return []
    customer = "customer_key" if document in PROJECTED else "NULL"
    rows = connection.execute(
        f"DELETE FROM fact_{document} WHERE key = ANY(%b) RETURNING key, {customer}", (list(keys),)
    ).fetchall()
    return [
        Change(key, {}, False, None, None, customer)
        for key, customer in sorted(rows, key=lambda row: row[0])
    ]


def read(
    connection: psycopg.Connection[Any],
    document: str,
    keys: Sequence[str] | None = None,
    *,
    first: bool = False,
) -> Iterator[Change]:
    """Yield the facts of one type in key order, decoded (read through a server-side cursor).

    Args:
        keys: only these; all where None.
        first: whether they are first changes, to a stream that holds nothing of them yet.
    """
    for rows in _rows(connection, document, "key, schema_id, body", keys):
        found = [key for key, _, _ in rows]
        wires = [message(schema_id, body) for _, schema_id, body in rows]
        for key, content in zip(found, _decoded(document, found, wires), strict=True):
            body = content.document
            customer = customer_of(body) if document in PROJECTED else None
            yield Change(key, body, first, None, customer, customer)


def read_customers(connection: psycopg.Connection[Any], document: str) -> Iterator[Change]:
    """Yield whose the facts of one type are, in key order: first changes without their documents.

    ``document`` is one of the types of `sinks.projection.PROJECTED`.
    """
    for rows in _rows(connection, document, "key, customer_key"):
        for key, customer in rows:
            yield Change(key, {}, True, None, customer, customer)


def _rows(
    connection: psycopg.Connection[Any],
    document: str,
    columns: str,
    keys: Sequence[str] | None = None,
) -> Iterator[list[Any]]:
    query = f"SELECT {columns} FROM fact_{document}"
    parameters: tuple[Any, ...] = ()
    if keys is not None:
        query, parameters = query + " WHERE key = ANY(%b)", (list(keys),)
    with connection.cursor(name=f"facts_of_{document}") as cursor:
        cursor.execute(query + " ORDER BY key", parameters, binary=True)
        while rows := cursor.fetchmany(2_000):
            yield rows


def project(connection: psycopg.Connection[Any], document: str, changes: Sequence[Change]) -> int:
    """Work the columns beside the bodies of these facts out anew; return how many were not so.

    ``document`` is one of the types of `sinks.projection.PROJECTED`.
    """
    names, before, now = (
        ", ".join(prefix + name for name in _PROJECTION) for prefix in ("", "fact.", "now.")
    )
    values = ", ".join(f"%b::{kind}[]" for _, kind in COLUMNS)
    rows = [projected(document, change.document) for change in changes]
    return connection.execute(
        f"""
        UPDATE fact_{document} AS fact SET ({names}) = ({now})
        FROM unnest(%b::text[], {values}) AS now (key, {names})
        WHERE fact.key = now.key AND ({before}) IS DISTINCT FROM ({now})
        """,
        ([change.key for change in changes], *map(list, zip(*rows, strict=True))),
    ).rowcount
