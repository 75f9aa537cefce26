"""Rows of database sources that are read again for a while, by the digests of their contents.

Every function works in the caller's transaction and for one unit of one source.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


def known_digests(
    connection: Connection, source: str, unit: str, digests: Collection[str]
) -> set[str]:
    """Those of ``digests`` that were remembered."""
    found = connection.execute(
        "SELECT digest FROM source_recent WHERE source = %s AND unit = %s AND digest = ANY(%s)",
        (source, unit, list(digests)),
    )
    return {row[0] for row in found}


def remember(
    connection: Connection,
    source: str,
    unit: str,
    digests: Sequence[tuple[str, int | None]],
    floor: int,
) -> None:
    """Remember digests with their positions, and forget those whose position is below ``floor``.

    A digest without a position is never forgotten.
    """
    if digests:
        connection.execute(
            """
            INSERT INTO source_recent (source, unit, digest, position)
            SELECT %s, %s, * FROM unnest(%s::text[], %s::numeric[])
            ON CONFLICT (source, unit, digest) DO NOTHING
            """,
            (source, unit, [one for one, _ in digests], [at for _, at in digests]),
        )
    connection.execute(
        "DELETE FROM source_recent WHERE source = %s AND unit = %s AND position < %s",
        (source, unit, floor),
    )
