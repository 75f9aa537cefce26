"""JSON Lines: an object in each line; numbers with a fraction stay the text that is written."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

from connectors.files.lines import Parsed, decode_lines, undecodable
from connectors.portions import Broken


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _integer(text: str) -> int | str:
    """A number that rows can be kept with; one of more digits stays the text that is written."""
    return int(text) if len(text) < _LONGEST_INTEGER else text


_LONGEST_INTEGER = 19
# Decimals stay texts, so that no binary float ever stands between a source and an amount.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=_integer, parse_constant=_no_number)


def _storable(row: Any) -> bool:
    """Whether the database can hold it: escapes may spell signs that no text may contain."""
    try:
        return b"\\u0000" not in orjson.dumps(row)
    except TypeError:
        return False


class JsonLines:
    """Parser of JSON Lines."""

    columns: tuple[str, ...] = ()

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """One record for each line that is not blank."""
        parsed = Parsed(used=len(lines))
        for index, text in enumerate(decode_lines(lines, self._encoding)):
            line = number + index
            if text is None:
                parsed.broken.append(undecodable(line, lines[index], self._encoding))
                continue
            if line == 1:
                text = text.removeprefix("\ufeff")
            if not text or text.isspace():
                continue
            try:
                row: Any = _DECODER.decode(text)
            except (ValueError, RecursionError) as error:
                reason = f"the line is no JSON: {error}"
                parsed.broken.append(Broken(line, lines[index], "broken_json", reason))
                continue
            if not isinstance(row, dict):
                reason = f"the line holds a {type(row).__name__}, not an object"
                parsed.broken.append(Broken(line, lines[index], "broken_json", reason))
                continue
            if "\\u" in text and not _storable(row):
                reason = "the line has a NUL sign or half a sign (a lone surrogate)"
                parsed.broken.append(Broken(line, lines[index], "broken_json", reason))
                continue
            parsed.rows.append((line, row))
        return parsed
