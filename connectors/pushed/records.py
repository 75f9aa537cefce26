"""Reads the records that a webhook delivers: an object, a list of objects, or one in each line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.files.json_record import json_record
from connectors.portions import Broken, Numbered, Origin, Portion

_SPACE = re.compile(r"[ \t\r\n]*")
_SCANNER = json.JSONDecoder(parse_float=str)


class PushedReader:
    """The reader of a source that calls us: there is nothing to read but its dead letters."""

    def check(self) -> None:
        """There is nothing to look for."""

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """Nothing: the records come by HTTP, into the process that answers there."""
        return iter(())

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Read the bytes of a dead letter again."""
        return delivered(origin, broken.raw, in_lines=False)


class Handed:
    """Hands in portions that are here already."""

    def __init__(self, portions: list[Portion]) -> None:
        self._portions = portions

    def check(self) -> None:
        """They are here."""

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """All of them."""
        return iter(self._portions)

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Read the bytes of a dead letter again."""
        return delivered(origin, broken.raw, in_lines=False)


def delivered(origin: Origin, body: bytes, *, in_lines: bool) -> Portion:
    """The records of one delivery; what cannot be read is broken, and the others are taken.

    Args:
        origin: names the delivery.
        body: JSON in UTF-8.
        in_lines: whether each line is a record of its own.
    """
    rows: list[Numbered] = []
    broken: list[Broken] = []
    for number, raw in enumerate(_records(body, in_lines), 1):
        try:
            found = json_record(raw.decode("utf-8-sig"), "the record")
        except UnicodeDecodeError as error:
            found = "not_utf8", f"byte {error.start} of the record is not UTF-8 ({error.reason})"
        if isinstance(found, tuple):
            broken.append(Broken(number, raw, *found))
        else:
            rows.append((number, found))
    return Portion(origin, rows, broken, None, len(body))


def _records(body: bytes, in_lines: bool) -> Iterator[bytes]:
    if in_lines:
        yield from (line for line in body.split(b"\n") if line.strip())
        return
    found = entries(body)
    if found is None:
        yield body
    else:
        yield from found


def entries(body: bytes) -> list[bytes] | None:
    """The texts of the entries of a JSON list; None where ``body`` is anything else."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        return None
    found: list[bytes] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return found if _skip(text, at + 1) == len(text) else None
    while True:
        try:
            _, end = _SCANNER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        found.append(text[at:end].encode("utf-8", "surrogatepass"))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return found if _skip(text, at + 1) == len(text) else None
        if text[at : at + 1] != ",":
            return None
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()
