"""One JSON object as a record; numbers with a fraction stay the text that is written."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

DEEPEST = 100
_LONGEST_INTEGER = 19
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int | str:
    """A number that rows can be kept with; one of more digits stays the text that is written."""
    return int(text) if len(text) < _LONGEST_INTEGER else text


# Decimals stay texts, so that no binary float ever stands between a source and an amount.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=_integer, parse_constant=_no_number)


def json_record(
    text: str, what: str, columns: tuple[str, ...] | None = None
) -> dict[str, Any] | tuple[str, str]:
    """The object that ``text`` holds, or a code and the reason why it holds none.

    Args:
        text: one JSON value.
        what: names it in the reason: a line, an entry.
        columns: names for its values, where it is an array.
    """
    # Counting is quick, and the real depth is never more.
    if text.count("{") + text.count("[") > DEEPEST and _depth(text) > DEEPEST:
        return "too_deep", f"{what} is nested more than {DEEPEST} levels deep"
    try:
        row: Any = _DECODER.decode(text)
    except ValueError as error:
        return "broken_json", f"{what} is no JSON: {error}"
    if columns is not None and isinstance(row, list):
        if len(row) != len(columns):
            reason = f"{what} has {len(row)} values; the mapping's 'columns' names {len(columns)}"
            return "wrong_columns", reason
        row = dict(zip(columns, row, strict=True))
    if not isinstance(row, dict):
        return "broken_json", f"{what} holds a {type(row).__name__}, not an object"
    if "\\u" in text and not _storable(row):
        return "broken_json", f"{what} has a NUL sign or half a sign (a lone surrogate)"
    return row


def _storable(row: Any) -> bool:
    """Whether the database can hold it: escapes may spell signs that no text may contain."""
    try:
        return b"\\u0000" not in orjson.dumps(row)
    except TypeError:
        return False


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKET.finditer(text):
        if found[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif found[2]:
            depth -= 1
    return deepest
