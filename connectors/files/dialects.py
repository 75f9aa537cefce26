"""How a file is written, found from what stands in it where the mapping does not say it."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

_SAMPLE_BYTES = 64 * 1024
_DELIMITERS = ",;\t|"
_LINES = 20
_BROKEN_SHARE = 0.1
_COMMON_SHARE = 0.6
# The first byte of the 3,755 common signs of GB 2312 lies below it, and so does punctuation;
# letters with accents, as single bytes of Latin encodings, lie above it.
_RARE_SIGNS = 0xD8
_WIDE = re.compile(rb"[\x80-\xff]")
_LONG_RUN = re.compile(rb"[\x80-\xff]{4,}")
# As letters of Latin, Cyrillic and Greek single-byte encodings: a capital one behind a small one
# that begins no word of its own, as it does in names put together of several.
_MISSPELT = re.compile(
    rb"[\xe0-\xf6\xf8-\xff][\xc0-\xd6\xd8-\xdb]"
    rb"(?:[\xe0-\xf6\xf8-\xff][\xa1-\xbf]|(?![\xe0-\xf6\xf8-\xff]))"
)

#: Marks at the beginning of a file in UTF-16.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The encoding and delimiter of a file and its head line, as far as they are known.

    ``encoding`` is empty while everything that was read is ASCII.
    """

    encoding: str = ""
    delimiter: str = ""
    columns: tuple[str, ...] = ()


def find_encoding(sample: bytes) -> str:
    """UTF-8 or GB18030, whichever ``sample`` is written in; "" where both would read it alike.

    Text in a single-byte encoding such as cp1252 is never taken for GB18030: it is refused as
    broken UTF-8, since nothing in it says which of these encodings it is.

    Args:
        sample: whole lines.
    """
    first = _WIDE.search(sample)
    if first is None:
        return ""
    sample = sample[first.start() : first.start() + _SAMPLE_BYTES]
    wide = _wide_signs(sample, "utf-8")
    if wide.count("\ufffd") < _BROKEN_SHARE * len(wide):
        return "utf-8"
    wide = _wide_signs(sample, "gb18030")
    firsts = "".join(wide).encode("gb2312", "ignore")[::2]
    common = sum(byte < _RARE_SIGNS for byte in firsts)
    if common > _COMMON_SHARE * len(wide):
        return "gb18030"
    # Names of rare signs alone: all of them are signs, and as letters they would be no words.
    misspelt = any(_MISSPELT.search(run) for run in _LONG_RUN.findall(sample))
    return "gb18030" if len(firsts) == len(wide) and misspelt else "utf-8"


def _wide_signs(sample: bytes, encoding: str) -> list[str]:
    """The signs of ``sample`` that are not ASCII; its end may be half a sign, which is left."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    return [sign for sign in text if sign > "\x7f"]


def find_delimiter(texts: Sequence[str | None]) -> str:
    """The sign at which the head line and the lines behind it fall into equally many columns.

    Args:
        texts: the head line and what follows it.
    """
    lines = [text for text in texts[:_LINES] if text]
    best, found = (0, 0), ","
    for delimiter in _DELIMITERS:
        widths = [_width(line, delimiter) for line in lines]
        if widths and widths[0] > 1:
            score = widths.count(widths[0]), widths[0]
            if score > best:
                best, found = score, delimiter
    return found


def _width(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except (csv.Error, StopIteration):
        return 0
