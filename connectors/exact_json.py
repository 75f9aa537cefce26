"""JSON of sources: numbers as they are written, and which objects can be kept as records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

DEEPEST = 100
#: A string, or a bracket that opens or closes.
BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_LONGEST_INTEGER = 19
#: More levels would leave a decoder no room for calls within calls.
_DEEPEST_DECODED = 500


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int | str:
    """A number that rows can be kept with; one of more digits stays the text that is written."""
    return int(text) if len(text) < _LONGEST_INTEGER else text


#: Decimals stay texts, so that no binary float ever stands between a source and an amount.
EXACT = json.JSONDecoder(parse_float=str, parse_int=_integer, parse_constant=_no_number)


def decoded(text: str) -> Any:
    """What ``text`` holds, so that one record without end does not hide those beside it.

    Where it is nested too deeply to be decoded, ``null`` stands for what lies below 500 levels.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return EXACT.decode(text)
    except RecursionError:
        return EXACT.decode(_cut(text))


def _cut(text: str) -> str:
    parts: list[str] = []
    depth = kept = 0
    for found in BRACKET.finditer(text):
        if found[1]:
            depth += 1
            if depth == _DEEPEST_DECODED + 1:
                parts += text[kept : found.start()], "null"
        elif found[2]:
            if depth == _DEEPEST_DECODED + 1:
                kept = found.end()
            depth -= 1
    if depth <= _DEEPEST_DECODED:
        parts.append(text[kept:])
    return "".join(parts)


def refused(row: Mapping[str, Any], what: str) -> tuple[str, str] | None:
    """A code and the reason why a decoded object is no record; None where it is one.

    Args:
        row: as ``EXACT`` decodes it.
        what: names it in the reason: a line, an entry.
    """
    if _is_too_deep(row):
        return "too_deep", f"{what} is nested more than {DEEPEST} levels deep"
    if not is_storable(row):
        return "broken_json", f"{what} has a NUL sign or half a sign (a lone surrogate)"
    return None


def is_storable(value: Any) -> bool:
    """Whether the database can hold it: escapes may spell signs that no text may contain."""
    try:
        return b"\\u0000" not in orjson.dumps(value)
    except TypeError:
        return False


def _is_too_deep(row: Mapping[str, Any]) -> bool:
    """Looks level by level: what is nested deeply leaves no room for calls within calls."""
    level: list[Any] = [row]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
