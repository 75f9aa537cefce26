"""Reads the records of a file in chunks, from a place on; a bad line never stops the next ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from connectors.files.csv_lines import CsvLines
from connectors.files.damage import DamagedFile
from connectors.files.dialects import Dialect, find_encoding
from connectors.files.guarded import LONGEST_KEPT, LONGEST_RECORD, Readable
from connectors.files.json_lines import JsonLines
from connectors.files.lines import Parsed, Parser, too_long
from connectors.files.places import Place
from connectors.files.queue_log import QueueLog
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


def parser_for(unit: Unit, known: Dialect | None = None) -> Parser:
    """The parser of a file's format.

    Args:
        unit: the file; what its stream declares holds, whatever is known.
        known: of the file from what was read of it before.
    """
    known = known or Dialect()
    dialect = replace(
        known,
        encoding=unit.stream.encoding or known.encoding,
        delimiter=unit.stream.delimiter or ("\t" if unit.format == "tsv" else known.delimiter),
    )
    if unit.format == "jsonl":
        return JsonLines(dialect)
    if unit.format == "queue_log":
        return QueueLog(dialect)
    return CsvLines(dialect, unit.stream.needed)


def read_chunks(file: Readable, unit: Unit, place: Place, final: bool) -> Iterator[Chunk]:
    """The records behind ``place``, some hundred to some thousand at a time.

    Args:
        file: open for reading bytes, at the offset of ``place``.
        unit: what is known of it.
        place: where to begin.
        final: whether the file is as long as it will be: a last line without a line end is then
            a record; otherwise it is left for later.

    Raises:
        DamagedFile: the rest cannot be read; what stands before was handed out.
    """
    if place.tail is not None:
        return
    parser = parser_for(unit, Dialect(place.encoding, place.delimiter, place.columns))
    pending: list[bytes] = []
    half = b""
    ended = False
    damage: DamagedFile | None = None
    while not ended:
        try:
            block = file.read(_CHUNK_BYTES)
        except DamagedFile as error:
            block, damage, final = b"", error, False
        ended = not block
        lines, half = _cut(half, block)
        pending += lines
        unfinished = bool(half)
        if ended and final and half:
            pending.append(half)
            half = b""
        is_long = len(half) > LONGEST_RECORD
        if not parser.dialect.encoding:
            found = find_encoding(b"".join(pending))
            parser.dialect = replace(parser.dialect, encoding=found)
        parsed = parser.parse(pending, place.line, last=is_long or (ended and final))
        size = sum(map(len, pending[: parsed.used]))
        taken = _behind(place, parser, size, parsed.used)
        if unfinished and ended and final and parsed.used == len(pending):
            taken = _with_tail(taken, pending, parsed)
        pending = pending[parsed.used :]
        if parsed.used:
            place = taken
            yield Chunk(parsed.rows, parsed.broken, place, size)
        elif parsed.broken:
            # A head line that cannot be read: the file stays where it is.
            yield Chunk([], parsed.broken, place)
            return
        if is_long and not pending:
            rest = _pass_over(file, half)
            if not rest.whole and not final:
                return
            place = _behind(place, parser, rest.size, 1)
            yield Chunk([], [too_long(place.line - 1, rest.raw)], place, rest.size)
            pending, half = _cut(b"", rest.behind)
    if damage is not None:
        raise damage


def _cut(half: bytes, block: bytes) -> tuple[list[bytes], bytes]:
    """Whole lines, the first of which began with ``half``, and the half one behind them."""
    end = block.rfind(b"\n") + 1
    if not end:
        return [], half + block
    return BytesIO(half + block[:end]).readlines(), block[end:]


def _behind(place: Place, parser: Parser, size: int, lines: int) -> Place:
    dialect = parser.dialect
    return replace(
        place,
        offset=place.offset + size,
        line=place.line + lines,
        columns=dialect.columns,
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
    )


@dataclass(frozen=True, slots=True)
class _LongLine:
    """The beginning of a line, how many bytes it has, whether it ended, and what stands behind."""

    raw: bytes
    size: int
    whole: bool
    behind: bytes


def _pass_over(file: Readable, begun: bytes) -> _LongLine:
    """Read a line to its end without holding it, since it may be as long as the file."""
    raw, size = begun, len(begun)
    while block := file.read(_CHUNK_BYTES):
        end = block.find(b"\n") + 1
        raw += (block[:end] if end else block)[: max(0, LONGEST_KEPT - len(raw))]
        if end:
            return _LongLine(raw, size + end, True, block[end:])
        size += len(block)
    return _LongLine(raw, size, False, b"")


def _with_tail(taken: Place, lines: list[bytes], parsed: Parsed) -> Place:
    """The place before the last record, which ended with the file and may yet grow."""
    numbers = [line for line, _ in parsed.rows[-1:]] + [one.number for one in parsed.broken[-1:]]
    first = taken.line - len(lines)
    begin = max(numbers, default=first)
    size = sum(len(line) for line in lines[begin - first :])
    return replace(taken, offset=taken.offset - size, line=begin, tail=taken.offset)
