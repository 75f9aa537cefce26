"""Turns the row of a database into a record with the values that a file would have; pure.

Decimals are exact texts, times and dates ISO texts, bytes hexadecimal texts; whole numbers, truth
values, texts, lists and objects stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from connectors.exact_json import EXACT

#: A row can be kept as JSON with numbers up to 64 bits.
_LARGEST = 2**63


def record_of(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """The record of a row."""
    return {name: _plain(value) for name, value in zip(names, values, strict=True)}


def _plain(value: Any) -> Any:
    kind = value.__class__
    if value is None or kind is bool:
        return value
    if kind is str:
        # No text of the hub's database may hold this sign; SQLite and others may.
        return value.replace("\0", "\ufffd")
    if kind is int:
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if kind is Decimal:
        # Zeros at the end are of the column's scale, which a contract need not have.
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if kind is float:
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)


def parse_json(text: str | bytes) -> Any:
    """JSON in which a number with a fraction stays the text that is written.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return EXACT.decode(text if isinstance(text, str) else text.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
