"""What the tables of an export look like: columns, encoding, delimiter, and a row as a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

#: The values of a record in the order of its table's columns; texts, except in JSON Lines.
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as one system exports it.

    ``by`` says what a file of it holds: the rows of a ``month`` of export, or of a ``day``.
    ``changed`` is how the last column writes the day of the change, so that rows may come in any
    order; without it they say nothing of that.
    ``bom`` puts the mark of UTF-8 in front of the head line.
    """

    stem: str
    columns: tuple[str, ...]
    encoding: str
    delimiter: str = ","
    by: str = "month"
    changed: str = ""
    bom: bool = False

    @property
    def suffix(self) -> str:
        """The ending of its files' names."""
        return ".csv"

    def head(self) -> bytes:
        """The head line."""
        return (b"\xef\xbb\xbf" if self.bom else b"") + self.line(list(self.columns))

    def line(self, row: Row) -> bytes:
        """A record as a line; a sign that the encoding does not have becomes a question mark."""
        text = self.delimiter.join(row)
        if '"' in text or "\n" in text or text.count(self.delimiter) >= len(row):
            text = self.delimiter.join(map(self._quoted, row))
        return text.encode(self.encoding, "replace") + b"\n"

    def _quoted(self, value: str) -> str:
        if '"' in value or "\n" in value or self.delimiter in value:
            doubled = value.replace('"', '""')
            return f'"{doubled}"'
        return value


@dataclass(frozen=True, slots=True)
class JsonTable(Table):
    """A table of which each record is a JSON object in a line of its own."""

    @property
    def suffix(self) -> str:
        """The ending of its files' names."""
        return ".jsonl"

    def head(self) -> bytes:
        """Nothing: each line names its fields."""
        return b""

    def line(self, row: Row) -> bytes:
        """A record as a line."""
        return orjson.dumps(dict(zip(self.columns, row, strict=True))) + b"\n"
