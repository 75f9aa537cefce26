"""Finds values in a JSON text that is read bit by bit, and hands them out as they are written."""

from __future__ import annotations

import json
import re

from connectors.files.damage import DamagedFile
from connectors.files.guarded import LONGEST_KEPT, LONGEST_RECORD, MIB, Readable

_BLOCK_BYTES = 256 * 1024
_LONGEST_TEXT = 4 * LONGEST_RECORD
_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_PLAIN = re.compile(rb"[^ \t\r\n,:\[\]{}\"]++")
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_MARK = b"\xef\xbb\xbf"
_QUOTE, _OPENING = ord('"'), b"[{"


class JsonText:
    """A place in a JSON text; only what is not yet handed out is held.

    The values themselves are not checked: brackets and quotes say where they end. So one that is
    broken does not hide the next ones.
    """

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._text = b""
        self._at = 0
        self._more()
        if self._text.startswith(_MARK):
            self._at = len(_MARK)

    def next_sign(self) -> str:
        """The sign that comes next, blanks passed over; "" at the end of the file."""
        while True:
            self._at = self._match(_BLANK, self._at)
            if self._at < len(self._text):
                return chr(self._text[self._at])
            if not self._more():
                return ""

    def take(self, sign: str) -> None:
        """Go behind ``sign``, which must come next.

        Raises:
            DamagedFile: something else does.
        """
        self.expect(sign)
        self._at += 1

    def expect(self, signs: str) -> str:
        """The next sign, which must be one of ``signs``.

        Raises:
            DamagedFile: it is not.
        """
        found = self.next_sign()
        if not found:
            raise ends_early()
        if found not in signs:
            near = self._text[self._at : self._at + 40].decode("utf-8", "replace")
            wanted = " or ".join(signs)
            raise DamagedFile(f"the JSON is broken: expected {wanted}, found {near!r}")
        return found

    def name(self) -> str:
        """The name of a member, with the colon behind it."""
        self.expect('"')
        raw, _ = self.value()
        self.take(":")
        try:
            return str(json.loads(raw))
        except ValueError as error:
            raise DamagedFile(f"the JSON is broken: {error}") from error

    def value(self, keep: bool = True) -> tuple[bytes, int]:
        """The next value as it is written, and its length.

        What is longer than any record may be is given cut, and so is all with ``keep`` off.

        Raises:
            DamagedFile: the file ends within it, or there is none.
        """
        sign = self.next_sign()
        if not sign:
            raise ends_early()
        raw, size = b"", 0
        depth = 0
        scan = self._at
        while True:
            if depth or self._text[scan] in _OPENING:
                scan = self._match(_TO_BRACKET, scan)
                ended = scan < len(self._text) and self._text[scan] != _QUOTE
                if ended:
                    depth += 1 if self._text[scan] in _OPENING else -1
                    scan += 1
            elif self._text[scan] == _QUOTE:
                ended = bool(end := self._match(_STRING, scan))
                scan = end or scan
            else:
                end = self._match(_PLAIN, scan)
                if not end:
                    self.expect('{["')
                # Where it ends with what is read, it may go on.
                if end == len(self._text) and self._more():
                    scan = self._at
                    continue
                ended, scan = True, end
            if ended and depth == 0:
                size += scan - self._at
                raw += self._text[self._at : scan] if keep or not raw else b""
                self._at = scan
                return raw[:LONGEST_KEPT], size
            if ended:
                continue
            if scan - self._at > (LONGEST_RECORD if keep else 0):
                size += scan - self._at
                raw = (raw + self._text[self._at : scan])[: LONGEST_KEPT if keep else 1]
                self._at = scan
            scan -= self._at
            if not self._more():
                raise ends_early()

    def _match(self, pattern: re.Pattern[bytes], begin: int) -> int:
        found = pattern.match(self._text, begin)
        return found.end() if found else 0

    def _more(self) -> bool:
        """Read on, more at once where much is held, so that nothing is looked at often."""
        held = self._text[self._at :]
        if len(held) > _LONGEST_TEXT:
            reason = f"a text has more than {_LONGEST_TEXT // MIB} MiB, or its quote is not closed"
            raise DamagedFile(f"{reason}: mend it in the source", "record_too_long")
        wanted = max(_BLOCK_BYTES, len(held))
        blocks = []
        while wanted > 0 and (block := self._file.read(wanted)):
            blocks.append(block)
            wanted -= len(block)
        self._text, self._at = held + b"".join(blocks), 0
        return bool(blocks)


def ends_early() -> DamagedFile:
    """The file stops within its document."""
    return DamagedFile("the JSON ends early: deliver the file again as a whole", incomplete=True)
