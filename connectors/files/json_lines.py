"""JSON Lines: an object in each line."""

from __future__ import annotations

from functools import partial

from connectors.files.dialects import Dialect
from connectors.files.json_record import json_record
from connectors.files.lines import Parsed, parse_each

_read = partial(json_record, what="the line")


class JsonLines:
    """Parser of JSON Lines."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """One record for each line that is not blank."""
        return parse_each(lines, number, self.dialect.encoding, _read)
