"""Rows by the thousand: COPY into a temporary table, then one statement from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Staging:
    """A temporary table: its name and (column, type) pairs; emptied at each commit.

    ``gathers`` is true where what is put into it stays until the end of the transaction, however
    many batches are taken in it.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    gathers: bool = False

    def create(self, connection: psycopg.Connection[Any]) -> None:
        """Create the table for this connection; it must not be in a transaction that may fail."""
        columns = ", ".join(
            f"{column} {type_}" + (' COLLATE "C"' if type_ == "text" else "")
            for column, type_ in self.columns
        )
        connection.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.name} ({columns}) ON COMMIT DELETE ROWS"
        )

    def fill(self, connection: psycopg.Connection[Any], rows: Iterable[Sequence[Any]]) -> None:
        """COPY ``rows`` (one value per column, in order) into the table.

        Once in a transaction; it must be emptied before it is filled again.
        """
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {self.name} FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types([type_ for _, type_ in self.columns])
            write_row = copy.write_row
            for row in rows:
                write_row(row)

    def empty(self, connection: psycopg.Connection[Any]) -> None:
        """Empty the table within a transaction that will use it again."""
        # Not DELETE: dead rows stay until the commit, and every later statement reads past them.
        connection.execute(f"TRUNCATE {self.name}")


def staging(name: str, columns: str, *, gathers: bool = False) -> Staging:
    """Declare a staging table: ``columns`` as ``"key text, version bigint"``."""
    pairs = [column.strip().split(" ", 1) for column in columns.split(",")]
    return Staging(f"stage_{name}", tuple((pair[0], pair[1]) for pair in pairs), gathers)
