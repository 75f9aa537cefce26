"""A sheet of a workbook: a head row and records, all values as the texts that a mapping expects."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, Any

import orjson
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, WorksheetNotFound

from connectors.files.damage import DamagedFile
from connectors.files.documents import Item
from connectors.files.guarded import LONGEST_RECORD, Guarded, Inflating, open_member
from connectors.files.heads import MISSING_COLUMNS, lacking
from connectors.files.lines import too_long
from connectors.mapping.model import Stream
from connectors.portions import Broken

_BLOCK_BYTES = 256 * 1024
_MOST_CELLS = 20_000_000
_MOST_SHARED = 64
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")


def xlsx_items(file: IO[bytes], stream: Stream, most: int) -> Iterator[Item]:
    """The records of the sheet that ``stream`` names; a record's number is its row's.

    Args:
        file: open at its beginning.
        stream: names the sheet (the first by default) and its head row.
        most: how many bytes it may have inflated.

    Raises:
        DamagedFile: it is no workbook, has no such sheet, lacks a column, or is too large.
    """
    _check(file, most)
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheet = _sheet_of(book, stream.sheet)
        rows = enumerate(sheet.iter_rows(), 1)
        yield from _records(rows, stream.head_row, stream.needed)
    except (CalamineError, OSError, ValueError) as error:
        raise DamagedFile(f"the workbook is damaged ({error}): export it again") from error


def _check(file: IO[bytes], most: int) -> None:
    """Inflate it once within the limits: the library that reads it has none."""
    try:
        with zipfile.ZipFile(file) as archive:
            left = most
            for info in archive.infolist():
                # What is stated may be a lie; what is there counts.
                info.file_size = left + 1
                with open_member(archive, info) as member:
                    left -= _inflated(member, left, info.compress_size, info.filename)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
        reason = f"the workbook cannot be opened ({error}): export it again"
        raise DamagedFile(reason, incomplete="not a zip" in str(error)) from error


def _inflated(member: Inflating, most: int, packed: int, name: str) -> int:
    guarded = Guarded(member, most, packed)
    widest = highest = 0
    is_sheet = name.startswith("xl/worksheets/")
    half = b""
    while block := guarded.read(_BLOCK_BYTES):
        if not is_sheet:
            continue
        text = half + block
        for column, row in _REFERENCE.findall(text):
            highest = max(highest, int(row))
            widest = max(widest, _column(column))
        half = text[-_MOST_SHARED:]
    if widest * highest > _MOST_CELLS:
        reason = (
            f"a sheet spans {highest:,} rows and {widest:,} columns: delete what stands far"
            " outside of the table, or export it as CSV"
        )
        raise DamagedFile(reason, "too_large_inflated")
    return guarded.taken


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet_of(book: CalamineWorkbook, wanted: str | int | None) -> CalamineSheet:
    names = book.sheet_names
    try:
        if isinstance(wanted, str):
            return book.get_sheet_by_name(wanted)
        return book.get_sheet_by_index((wanted or 1) - 1)
    except (WorksheetNotFound, IndexError) as error:
        reason = f"there is no sheet {wanted!r}; there are {', '.join(names)}"
        raise DamagedFile(f"{reason}: name it in the mapping with 'sheet'", "no_sheet") from error


def _records(
    rows: Iterator[tuple[int, list[Any]]], head_row: int | None, needed: Collection[str]
) -> Iterator[Item]:
    columns: list[str] = []
    for number, cells in rows:
        texts = [cell_text(cell) for cell in cells]
        if not columns:
            if number == head_row or (head_row is None and any(texts)):
                columns = _head(texts, needed)
            continue
        if not any(texts):
            continue
        size = sum(map(len, texts))
        raw = orjson.dumps(texts)
        if size > LONGEST_RECORD:
            yield too_long(number, raw), len(raw)
        elif any("\0" in text for text in texts) or any(texts[len(columns) :]):
            reason = "the row has a NUL sign, or a value in a column that the head does not name"
            yield Broken(number, raw, "broken_row", reason), size
        else:
            named = zip(columns, texts, strict=False)
            yield (number, {name: text for name, text in named if name}), size


def _head(texts: list[str], needed: Collection[str]) -> list[str]:
    names = [text.strip() for text in texts]
    while names and not names[-1]:
        names.pop()
    named = [name for name in names if name]
    if not named or len(set(named)) != len(named):
        reason = "the head row is empty or names a column twice: mend it, or say 'head_row'"
        raise DamagedFile(reason, "broken_head")
    missing = lacking(needed, names)
    if missing is not None:
        raise DamagedFile(missing, MISSING_COLUMNS)
    return names


def cell_text(value: Any) -> str:
    """A cell as text: dates in ISO 8601, numbers with the 15 digits that a workbook has."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # A third as a binary fraction has noise behind the digits that were written.
        text = format(Decimal(f"{value:.15g}"), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
