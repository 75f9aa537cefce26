"""Tables and queries as the database has them: their columns, keys, and statements on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    TextClause,
    and_,
    column,
    inspect,
    or_,
    select,
    table,
    text,
)

from connectors.errors import SourceError
from connectors.mapping.model import Stream


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a query: how people call it, its columns, and those of its primary key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    origin: FromClause | TextClause

    def rows(self) -> Select[Any]:
        """All rows with all columns, as the driver hands them out."""
        columns: list[ColumnElement[Any]] = [column(name) for name in self.columns]
        return select(*columns).select_from(self.origin)

    def behind(self, names: Sequence[str], values: Sequence[Any]) -> ColumnElement[bool]:
        """Rows that come after ``values`` in the order of these columns."""
        first: ColumnElement[Any] = column(names[0])
        value = values[0]
        if len(names) == 1:
            return first.__gt__(value)
        return or_(first > value, and_(first == value, self.behind(names[1:], values[1:])))

    def require(self, names: Sequence[str], place: str) -> None:
        """Raises SourceError if a column is not there; ``place`` is where the mapping names it."""
        for name in names:
            if name not in self.columns:
                raise SourceError(
                    f"{self.name} has no column {name!r} ({place}){_hint(name, self.columns)};"
                    f" there are {', '.join(self.columns)}"
                )


def relation_of(connection: Connection, stream: Stream) -> Relation:
    """What a stream reads.

    Raises:
        SourceError: the mapping names no table, or one that is not there.
    """
    if stream.table is not None and stream.table.query is not None:
        return _query(connection, stream.name, stream.table.query)
    if stream.pattern is None:
        raise SourceError(
            f"the stream {stream.name!r} names no table: add 'from: schema.table' to the mapping"
        )
    schema, _, name = stream.pattern.rpartition(".")
    inspector = inspect(connection)
    if not inspector.has_table(name, schema or None):
        known = [
            *inspector.get_table_names(schema or None),
            *inspector.get_view_names(schema or None),
        ]
        raise SourceError(
            f"there is no table {stream.pattern} (streams.{stream.name}.from)"
            f"{_hint(name, known)}; or the user may not see it"
        )
    columns = tuple(one["name"] for one in inspector.get_columns(name, schema or None))
    key = inspector.get_pk_constraint(name, schema or None)["constrained_columns"]
    origin = table(name, *(column(one) for one in columns), schema=schema or None)
    return Relation(stream.pattern, columns, tuple(key), origin)


def as_written(query: str) -> TextClause:
    """A person's statement; a colon in it is no parameter of ours."""
    return text(query.replace(":", "\\:"))


def _query(connection: Connection, stream: str, query: str) -> Relation:
    origin = as_written(f"({query}) q")
    looked = connection.execute(select(text("*")).select_from(origin).limit(0))
    columns = tuple(looked.keys())
    looked.close()
    return Relation(stream, columns, (), origin)


def _hint(name: str, known: Sequence[str]) -> str:
    lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), lower, n=1)
    return f": did you mean {lower[near[0]]!r}?" if near else ""
