"""Reads the records of a file in chunks, from a place on; a bad line never stops the next ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from connectors.files.csv_lines import CsvLines
from connectors.files.json_lines import JsonLines
from connectors.files.lines import Parsed, Parser
from connectors.files.places import Place
from connectors.files.units import Unit
from connectors.portions import Broken

_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class Chunk:
    """Some records in the order of the file, the place behind them, and how many bytes they had."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    size: int = 0


def parser_for(unit: Unit, columns: tuple[str, ...]) -> Parser:
    """The parser of a file's format, which goes on with a head line that is already known."""
    if unit.format == "jsonl":
        return JsonLines(unit.stream.encoding)
    return CsvLines(unit.stream.encoding, unit.stream.delimiter, columns)


def read_chunks(file: BinaryIO, unit: Unit, place: Place, final: bool) -> Iterator[Chunk]:
    """The records behind ``place``, some hundred to some thousand at a time.

    Args:
        file: open for reading bytes.
        unit: what is known of it.
        place: where to begin.
        final: whether the file is as long as it will be: a last line without a line end is then
            a record; otherwise it is left for later.
    """
    if place.tail is not None:
        return
    parser = parser_for(unit, place.columns)
    file.seek(place.offset)
    pending: list[bytes] = []
    while True:
        lines = file.readlines(_CHUNK_BYTES)
        ended = not lines
        if pending and lines and not pending[-1].endswith(b"\n"):
            lines[0] = pending.pop() + lines[0]
        pending += lines
        unfinished = pending and not pending[-1].endswith(b"\n")
        # Half a line is kept for the next round, in which more of it may have come.
        half = [pending.pop()] if unfinished and not (ended and final) else []
        parsed = parser.parse(pending, place.line, last=ended and final)
        size = sum(len(line) for line in pending[: parsed.used])
        taken = replace(
            place,
            offset=place.offset + size,
            line=place.line + parsed.used,
            columns=parser.columns,
        )
        if unfinished and ended and final and parsed.used == len(pending):
            taken = _with_tail(taken, pending, parsed)
        pending = pending[parsed.used :] + half
        if parsed.used:
            place = taken
            yield Chunk(parsed.rows, parsed.broken, place, size)
        elif parsed.broken:
            # A head line that cannot be read: the file stays where it is.
            yield Chunk([], parsed.broken, place)
            return
        if ended:
            return


def _with_tail(taken: Place, lines: list[bytes], parsed: Parsed) -> Place:
    """The place before the last record, which ended with the file and may yet grow."""
    numbers = [line for line, _ in parsed.rows[-1:]] + [one.number for one in parsed.broken[-1:]]
    first = taken.line - len(lines)
    begin = max(numbers, default=first)
    size = sum(len(line) for line in lines[begin - first :])
    return replace(taken, offset=taken.offset - size, line=begin, tail=taken.offset)
