"""Which customer of the hub a source's record belongs to, and what that customer is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from hub.ids import customer_uuid


def hub_ids(connection: psycopg.Connection[Any], keys: Collection[str]) -> dict[str, UUID]:
    """Return the hub's customer of each record key; one that is only named is its own customer."""
    members = dict(
        connection.execute(
            "SELECT key, hub_id FROM customer_members WHERE key = ANY(%b)", (list(keys),)
        ).fetchall()
    )
    return {key: members.get(key) or customer_uuid(key) for key in keys}


def names_of(
    connection: psycopg.Connection[Any], hubs: Iterable[UUID], source_order: Sequence[str] = ()
) -> dict[UUID, tuple[str, str]]:
    """Return (name, key of the record that states it) of the customers that have a name.

    It survives by the ranking of sources (``source_order``, first is best), then the newest
    (DOMAIN §3, Fields).
    """
    rows = connection.execute(
        """
        SELECT DISTINCT ON (member.hub_id) member.hub_id, record.name, record.key
        FROM customer_members AS member JOIN customer_records AS record USING (key)
        WHERE member.hub_id = ANY(%b) AND record.name IS NOT NULL
        ORDER BY member.hub_id,
            array_position(%s::text[], split_part(record.key, '|', 1)) NULLS LAST,
            record.version DESC, record.key
        """,
        (list(hubs), list(source_order)),
    )
    return {hub: (name, key) for hub, name, key in rows}


def publish_ranks(connection: psycopg.Connection[Any], source_order: Sequence[str]) -> None:
    """Write the ranking of sources, for those who read the database."""
    with connection.transaction():
        connection.execute(
            "DELETE FROM source_ranks WHERE source <> ALL(%s::text[])", (list(source_order),)
        )
        connection.execute(
            """
            INSERT INTO source_ranks (source, rank)
            SELECT * FROM unnest(%s::text[]) WITH ORDINALITY AS one (source, rank) ORDER BY source
            ON CONFLICT (source) DO UPDATE SET rank = excluded.rank
            """,
            (list(source_order),),
        )
