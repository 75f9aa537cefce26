"""Fills a database with the ERP's tables as they stand, for a hub that reads tables, not files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Unicode,
    and_,
    bindparam,
    create_engine,
    select,
)
from sqlalchemy.types import TypeEngine

from plant.systems.erp_tables import COLUMNS, Kind
from plant.systems.exporting import Delivery
from plant.systems.tables import Row
from plant.systems.telling import DELETED

_ROWS = 5_000
#: Names and free texts of the ERP are nvarchar(255).
_LONGEST_TEXT = 255
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.ID: BigInteger(),
    Kind.WHOLE: Integer(),
    Kind.MONEY: Numeric(20, 4),
    Kind.QUANTITY: Numeric(28, 10),
    Kind.RATE: Numeric(28, 10),
    Kind.DAY: DateTime(),
    Kind.TEXT: Unicode(_LONGEST_TEXT),
}
#: A stock row has no number of its own.
_KEYS = {"ICInventory": ("FItemID", "FStockID")}


class DatabaseUnusable(Exception):
    """The database cannot be reached as it is named; the message says what to do."""


class Books:
    """The tables in a database; they are made where they are not there.

    Args:
        url: SQLAlchemy's address of the database.
        is_new: whether the plant begins, so that its tables must be empty.

    Raises:
        DatabaseUnusable: its driver is not installed, or it holds the rows of another plant.
    """

    def __init__(self, url: str, is_new: bool) -> None:
        try:
            self._engine: Engine = create_engine(url)
        except ImportError as error:
            raise DatabaseUnusable(f"{error}: install the driver of this database") from error
        metadata = MetaData()
        self._tables = {stem: _table(stem, metadata) for stem in COLUMNS}
        metadata.create_all(self._engine)
        self._standing: dict[str, dict[tuple[Any, ...], dict[str, Any] | None]] = {
            stem: {} for stem in COLUMNS
        }
        self._waiting = 0
        self.rows = 0
        if is_new:
            self._refuse_rows()

    def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Let the tables stand as the ERP has the documents, without what befell their exports.

        A document that was deleted leaves the tables.
        """
        for one in deliveries:
            for table, row in ((one.table, one.row), *one.parts):
                values = _values(table.stem, table.columns, row)
                keys = _KEYS.get(table.stem, (table.columns[0],))
                key = tuple(values[name] for name in keys)
                self._standing[table.stem][key] = None if one.state & DELETED else values
                self._waiting += 1
        if self._waiting >= _ROWS:
            self.flush()

    def _refuse_rows(self) -> None:
        with self._engine.connect() as connection:
            for stem, table in self._tables.items():
                if connection.execute(select(table).limit(1)).first() is not None:
                    raise DatabaseUnusable(
                        f"the database holds rows of another plant in {stem}: name an empty one"
                    )

    def flush(self) -> None:
        """Write what is still in memory, in one transaction."""
        with self._engine.begin() as connection:
            for stem, standing in self._standing.items():
                if standing:
                    self._write(connection, self._tables[stem], standing)
                    standing.clear()
        self._waiting = 0

    def close(self) -> None:
        """Write what is left and let go of the database."""
        self.flush()
        self._engine.dispose()

    def _write(
        self,
        connection: Connection,
        table: Table,
        standing: dict[tuple[Any, ...], dict[str, Any] | None],
    ) -> None:
        keys = list(table.primary_key)
        named = [
            dict(zip((f"k_{key.name}" for key in keys), each, strict=True)) for each in standing
        ]
        chosen = table.delete().where(
            and_(*(key == bindparam(f"k_{key.name}") for key in keys)),
        )
        connection.execute(chosen, named)
        rows = [values for values in standing.values() if values is not None]
        if rows:
            connection.execute(table.insert(), rows)
        self.rows += len(rows)


def _table(stem: str, metadata: MetaData) -> Table:
    kinds = {name: kind for name, kind in COLUMNS[stem].items() if kind is not Kind.FOREIGN}
    keys = _KEYS.get(stem, (next(iter(kinds)),))
    return Table(
        stem,
        metadata,
        *(
            Column(name, _TYPES[kind], nullable=name not in keys, autoincrement=False)
            for name, kind in kinds.items()
        ),
        PrimaryKeyConstraint(*keys),
    )


def _values(stem: str, columns: tuple[str, ...], row: Row) -> dict[str, Any]:
    kinds = COLUMNS[stem]
    return {
        name: _READ[kinds[name]](text) if text else None
        for name, text in zip(columns, row, strict=True)
        if kinds[name] is not Kind.FOREIGN
    }


_READ: dict[Kind, Callable[[str], Any]] = {
    Kind.ID: int,
    Kind.WHOLE: int,
    Kind.MONEY: Decimal,
    Kind.QUANTITY: Decimal,
    Kind.RATE: Decimal,
    Kind.DAY: datetime.fromisoformat,
    Kind.TEXT: lambda text: text[:_LONGEST_TEXT],
}
