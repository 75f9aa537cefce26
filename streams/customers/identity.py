"""Regroups the customers around records that changed: reads what may link, applies the rules.

One transaction at a time does this (an advisory lock), so two workers cannot both miss a match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import psycopg

from hub.ids import customer_uuid
from streams.customers.rules import Groups, Record, group_records

#: Names the advisory lock of identity; held to the end of the transaction.
IDENTITY_LOCK = 7_206_502

Taken = Mapping[str, tuple[Record | None, str | None, int]]


def regroup(connection: psycopg.Connection[Any], taken: Taken) -> set[str]:
    """Store records (None: gone) with their names and versions, and regroup what they touch.

    Returns:
        The keys of all records whose customer may look different now.
    """
    if not taken:
        return set()
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (IDENTITY_LOCK,))
    before = _component(connection, set(taken))
    connection.execute("DELETE FROM customer_records WHERE key = ANY(%b)", (list(taken),))
    rows = [
        (record.key, name, record.tax_id, list(record.same_as), version)
        for record, name, version in taken.values()
        if record is not None
    ]
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY customer_records (key, name, tax_id, same_as, version) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(["text", "text", "text", "text[]", "int8"])
        for row in rows:
            copy.write_row(row)
    after = _component(connection, set(before) | set(taken))
    records = [record for record in after.values() if record is not None]
    groups = group_records(records, set(after))
    changed = _store(connection, groups)
    return changed | set(taken)


def _component(
    connection: psycopg.Connection[Any], keys: Iterable[str]
) -> dict[str, Record | None]:
    """Return every record that any chain of possible links joins to ``keys``; None: only named."""
    found: dict[str, Record | None] = {}
    frontier = set(keys)
    while frontier:
        for key in frontier:
            found.setdefault(key, None)
        rows = connection.execute(
            """
            WITH frontier AS (SELECT unnest(%(keys)s::text[]) COLLATE "C" AS key),
            tax_ids AS (
                SELECT DISTINCT record.tax_id FROM customer_records AS record
                JOIN frontier USING (key) WHERE record.tax_id IS NOT NULL
            )
            SELECT key, tax_id, same_as FROM customer_records JOIN frontier USING (key)
            UNION SELECT key, tax_id, same_as FROM customer_records JOIN tax_ids USING (tax_id)
            UNION SELECT key, tax_id, same_as FROM customer_records
                WHERE same_as && %(keys)s::text[]
            """,
            {"keys": sorted(frontier)},
        ).fetchall()
        asked, frontier = frontier, set()
        for key, tax_id, same_as in rows:
            if key not in found:
                frontier.add(key)
            if key in asked:
                found[key] = Record(key, tax_id, tuple(same_as))
                frontier.update(other for other in same_as if other not in found)
    return found


def _store(connection: psycopg.Connection[Any], groups: Groups) -> set[str]:
    """Store members and links of the groups; return the keys whose customer changed."""
    keys = sorted(groups.smallest)
    old: dict[str, UUID] = dict(
        connection.execute(
            "SELECT key, hub_id FROM customer_members WHERE key = ANY(%b)", (keys,)
        ).fetchall()
    )
    new = {key: customer_uuid(groups.smallest[key]) for key in keys}
    moved = [key for key in keys if old.get(key) != new[key]]
    connection.execute(
        """
        INSERT INTO customer_members (key, hub_id)
        SELECT * FROM unnest(%b::text[], %b::uuid[])
        ON CONFLICT (key) DO UPDATE SET hub_id = excluded.hub_id
        """,
        (moved, [new[key] for key in moved]),
    )
    connection.execute(
        "DELETE FROM customer_links WHERE left_key = ANY(%(keys)s) OR right_key = ANY(%(keys)s)",
        {"keys": keys},
    )
    links = groups.links
    connection.execute(
        """
        INSERT INTO customer_links (left_key, right_key, rule, evidence, refused)
        SELECT * FROM unnest(%b::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        """,
        (
            [link.left for link in links],
            [link.right for link in links],
            [link.rule for link in links],
            [link.evidence for link in links],
            [link.refused for link in links],
        ),
    )
    hubs = {old[key] for key in moved if key in old} | {new[key] for key in moved}
    affected = set(moved)
    if hubs:
        affected.update(
            key
            for (key,) in connection.execute(
                "SELECT key FROM customer_members WHERE hub_id = ANY(%b)", (list(hubs),)
            )
        )
    return affected
