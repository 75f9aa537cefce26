"""CSV with a head line; quoted fields may hold delimiters and line ends."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import replace

from connectors.files.dialects import Dialect, find_delimiter
from connectors.files.guarded import LONGEST_KEPT, LONGEST_RECORD
from connectors.files.heads import MISSING_COLUMNS, lacking
from connectors.files.lines import Parsed, decode_lines, too_long, undecodable
from connectors.portions import Broken

#: A quote that nobody closed must not swallow the rest of the file.
_LONGEST_RECORD = 200

# The module's own limit of 128 KiB is one for the whole process.
csv.field_size_limit(LONGEST_KEPT)


class CsvLines:
    """Parser of CSV; the columns of ``dialect`` are the head line, once it has been read.

    One that lacks a column of ``needed`` is refused.
    """

    def __init__(self, dialect: Dialect, needed: Collection[str] = ()) -> None:
        self.dialect = dialect
        self._needed = needed

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """One record for each line, or for the lines over which a quoted field goes."""
        parsed = Parsed()
        texts = decode_lines(lines, self.dialect.encoding)
        if not self.dialect.columns and not self._read_head(parsed, lines, texts, number):
            return parsed
        columns, delimiter = self.dialect.columns, self.dialect.delimiter
        width = len(columns)
        rows = parsed.rows
        index = parsed.used
        while index < len(lines):
            text = texts[index]
            taken = 1
            if text is None:
                broken = undecodable(number + index, lines[index], self.dialect.encoding)
                parsed.broken.append(broken)
            elif "\0" in text:
                self._refuse(parsed, lines, index, number, "a NUL sign")
            elif '"' not in text:
                fields = text.rstrip("\r").split(delimiter)
                if len(fields) == width:
                    rows.append((number + index, dict(zip(columns, fields, strict=True))))
                elif text.strip():
                    self._refuse(parsed, lines, index, number, f"{len(fields)} columns")
            else:
                found = self._quoted(texts, index)
                if found is None:
                    if not last and len(lines) - index < _LONGEST_RECORD:
                        break
                    self._refuse(parsed, lines, index, number, "a quote that is not closed")
                elif len(found[0]) == width:
                    taken = found[1]
                    raw = b"".join(lines[index : index + taken])
                    if len(raw) > LONGEST_RECORD:
                        parsed.broken.append(too_long(number + index, raw))
                    else:
                        rows.append((number + index, dict(zip(columns, found[0], strict=True))))
                else:
                    what = f"{len(found[0])} columns" if found[0] else "a misplaced quote"
                    self._refuse(parsed, lines, index, number, what)
            index += taken
        parsed.used = index
        return parsed

    def _refuse(
        self, parsed: Parsed, lines: list[bytes], index: int, number: int, what: str
    ) -> None:
        reason = f"the line has {what}; the head line has {len(self.dialect.columns)} columns"
        parsed.broken.append(Broken(number + index, lines[index], "broken_csv", reason))

    def _quoted(self, texts: list[str | None], index: int) -> tuple[list[str], int] | None:
        """The fields of the record that begins here and its lines; no fields if it is broken.

        None where its quote is still open at the end of what is there.
        """
        several = texts[index : index + _LONGEST_RECORD]
        if None in several:
            several = several[: several.index(None)]
        reader = csv.reader(
            (f"{text}\n" for text in several), delimiter=self.dialect.delimiter, strict=True
        )
        try:
            fields = next(reader)
        except csv.Error as error:
            return None if "unexpected end" in str(error) else ([], 1)
        return fields, reader.line_num

    def _read_head(
        self, parsed: Parsed, lines: list[bytes], texts: list[str | None], number: int
    ) -> bool:
        """Read the head line, the first that is not blank; False if there is none yet."""
        for index, text in enumerate(texts):
            if text is None:
                broken = undecodable(number + index, lines[index], self.dialect.encoding)
                parsed.broken.append(broken)
                return False
            text = text.removeprefix("\ufeff").strip("\r")
            if not text.strip():
                continue
            if not self.dialect.delimiter:
                delimiter = find_delimiter([text, *texts[index + 1 : index + 50]])
                self.dialect = replace(self.dialect, delimiter=delimiter)
            found = self._quoted([text], 0)
            names = [] if found is None else [name.strip() for name in found[0]]
            if not names or "\0" in text or len(set(names)) != len(names):
                reason = "the head line is broken, or names a column twice: mend it in the source"
                line = Broken(number + index, lines[index], "broken_head", reason)
                parsed.broken.append(line)
                return False
            missing = lacking(self._needed, names)
            if missing is not None:
                line = Broken(number + index, lines[index], MISSING_COLUMNS, missing)
                parsed.broken.append(line)
                return False
            self.dialect = replace(self.dialect, columns=tuple(names))
            parsed.used = index + 1
            return True
        parsed.used = len(lines)
        return False
