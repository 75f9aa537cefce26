"""Asterisk's queue_log: ``epoch|callid|queue|agent|EVENT|data…``, with no head line."""

from __future__ import annotations

from typing import Any

from connectors.files.dialects import Dialect
from connectors.files.lines import Parsed, parse_each

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
        return parse_each(lines, number, self.dialect.encoding, _read)


def _read(text: str) -> dict[str, Any] | tuple[str, str]:
    fields = text.rstrip("\r").split("|")
    if "\0" in text or not _NEEDED <= len(fields) <= len(COLUMNS):
        what = "a NUL sign" if "\0" in text else f"{len(fields)} fields"
        reason = f"the line has {what}; a queue_log has {_NEEDED} to {len(COLUMNS)} fields"
        return "broken_queue_log", reason
    fields += [""] * (len(COLUMNS) - len(fields))
    return dict(zip(COLUMNS, fields, strict=True))
