"""Asterisk's queue_log: ``epoch|callid|queue|agent|EVENT|data…``, with no head line."""

from __future__ import annotations

from connectors.files.dialects import Dialect
from connectors.files.lines import Parsed, decode_lines, undecodable
from connectors.portions import Broken

COLUMNS = (
    *("time", "callid", "queue", "agent", "event"),
    # An ATTENDEDTRANSFER between two bridges names both of them.
    *("data1", "data2", "data3", "data4", "data5", "data6"),
)
_NEEDED = 5


class QueueLog:
    """Parser of queue_log; parameters that an event has not are empty."""

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
            if not text.strip():
                continue
            fields = text.rstrip("\r").split("|")
            if "\0" in text or not _NEEDED <= len(fields) <= len(COLUMNS):
                what = "a NUL sign" if "\0" in text else f"{len(fields)} fields"
                reason = f"the line has {what}; a queue_log has {_NEEDED} to {len(COLUMNS)} fields"
                parsed.broken.append(Broken(line, lines[index], "broken_queue_log", reason))
                continue
            fields += [""] * (len(COLUMNS) - len(fields))
            parsed.rows.append((line, dict(zip(COLUMNS, fields, strict=True))))
        return parsed
