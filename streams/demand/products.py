"""Keeps what product records say of each other, and reads which of them are one product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from streams.demand.rules import ProductRecord, Products, group_products

#: Names the advisory lock of products' identity; held to the end of the transaction.
PRODUCT_LOCK = 7_206_504

_ALL = "SELECT key, name, same_as FROM product_records"
#: Every record that any chain of cross-references, followed both ways, joins to the keys.
_JOINED = """
    WITH RECURSIVE joined (key) AS (
        SELECT key COLLATE "C" FROM unnest(%b::text[]) AS wanted (key)
        UNION
        SELECT beside.key FROM joined CROSS JOIN LATERAL (
            SELECT unnest(same_as) AS key FROM product_records AS record
            WHERE record.key = joined.key
            UNION ALL
            SELECT record.key FROM product_records AS record
            WHERE record.same_as @> ARRAY[joined.key]
        ) AS beside
    )
    SELECT record.key, record.name, record.same_as
    FROM joined JOIN product_records AS record USING (key)
"""


def read_products(
    connection: psycopg.Connection[Any], keys: Iterable[str] | None = None
) -> Products:
    """Return which records are one product, and the products' names.

    Args:
        keys: only the products of these records, at a cost that follows them; all where None.
    """
    if keys is None:
        rows = connection.execute(_ALL)
    else:
        rows = connection.execute(_JOINED, (sorted(keys),))
    return group_products(ProductRecord(*row) for row in rows)


def keep_products(
    connection: psycopg.Connection[Any], taken: Mapping[str, ProductRecord | None]
) -> set[str]:
    """Store records (None: gone) and return the keys of all whose product may be another now.

    One batch of products at a time, from here to its commit: two that do not see each other's
    links could leave a view standing under a key that none of them knew to be published.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (PRODUCT_LOCK,))
    before = read_products(connection, taken)
    connection.execute("DELETE FROM product_records WHERE key = ANY(%b)", (list(taken),))
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY product_records (key, name, same_as) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["text", "text", "text[]"])
        for record in taken.values():
            if record is not None:
                copy.write_row((record.key, record.name, list(record.same_as)))
    after = read_products(connection, taken)
    return taken.keys() | before.smallest.keys() | after.smallest.keys()
