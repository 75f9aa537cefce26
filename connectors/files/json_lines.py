"""JSON Lines: an object in each line."""

from __future__ import annotations

from connectors.files.dialects import Dialect
from connectors.files.json_record import json_record
from connectors.files.lines import Parsed, decode_lines, undecodable
from connectors.portions import Broken


class JsonLines:
    """Parser of JSON Lines."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """One record for each line that is not blank."""
        parsed = Parsed(used=len(lines))
        encoding = self.dialect.encoding
        for index, text in enumerate(decode_lines(lines, encoding)):
            line = number + index
            if text is None:
                parsed.broken.append(undecodable(line, lines[index], encoding))
                continue
            if line == 1:
                text = text.removeprefix("\ufeff")
            if not text or text.isspace():
                continue
            row = json_record(text, "the line")
            if isinstance(row, tuple):
                parsed.broken.append(Broken(line, lines[index], *row))
            else:
                parsed.rows.append((line, row))
        return parsed
