"""Reads packed and encoded files within limits: what is too much or damaged is one exception."""

from __future__ import annotations

import codecs
import zlib
from typing import Protocol, cast
from zipfile import BadZipFile, ZipExtFile, ZipFile, ZipInfo

from connectors.files.damage import DamagedFile

MIB = 1024 * 1024
#: A record that is longer is a dead letter of its own code; no parser ever sees it.
LONGEST_RECORD = 8 * MIB
#: What is kept of a record that is too long.
LONGEST_KEPT = 16 * MIB
#: Beyond so many inflated bytes, their share to the packed ones tells a bomb.
_RATIO_FROM = 32 * MIB
_RATIO = 200
_SHORTEST_PACKED = 2


class Readable(Protocol):
    """What a parser reads from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class Inflating(Protocol):
    """What gives inflated bytes as they come."""

    def read1(self, size: int, /) -> bytes:
        """At most so many bytes, of one step of reading; none at the end."""


def open_member(archive: ZipFile, member: str | ZipInfo) -> ZipExtFile:
    """Open a member of an archive for reading."""
    # Its type in the standard library's stubs does without ``read1``.
    return cast("ZipExtFile", archive.open(member))


class Guarded:
    """The inflated bytes of a file; raises DamagedFile where they end early or are too many.

    Args:
        inner: gives the inflated bytes.
        most: how many these may be.
        packed: how many bytes they are packed in; None where they are not packed.
    """

    def __init__(self, inner: Inflating, most: int, packed: int | None) -> None:
        self._inner = inner
        self._most = most
        self._packed = packed
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        """See ``Readable``."""
        try:
            # One step only: what was inflated before a damaged place is handed out.
            found = self._inner.read1(size)
        except EOFError as error:
            raise DamagedFile(
                "the packed file ends early: deliver it again as a whole", incomplete=True
            ) from error
        except (zlib.error, BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise DamagedFile(
                f"the packed file is damaged ({error}): deliver it again as a whole",
                # Less than the mark of a gz is said to be none.
                incomplete=self._packed is not None and self._packed < _SHORTEST_PACKED,
            ) from error
        self.taken += len(found)
        if self._packed is not None:
            self._check(self._packed)
        return found

    def _check(self, packed: int) -> None:
        if self.taken > self._most:
            raise DamagedFile(
                f"inflated it has more than {self._most:,} bytes: if that is right,"
                " raise 'most_inflated' of the source",
                "too_large_inflated",
            )
        if self.taken > _RATIO_FROM and self.taken > _RATIO * packed:
            raise DamagedFile(
                f"it inflates to more than {_RATIO} times its size, as only a bomb does:"
                " if it is none, deliver it unpacked",
                "too_large_inflated",
            )


class Transcoded:
    """The same text in another encoding; raises DamagedFile where it is not in its own."""

    def __init__(self, inner: Readable, encoding: str, to: str = "utf-8") -> None:
        self._inner = inner
        self._encoding = encoding
        self._to = to
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def read(self, size: int, /) -> bytes:
        """See ``Readable``."""
        while True:
            found = self._inner.read(size)
            try:
                text = self._decoder.decode(found, not found)
            except UnicodeDecodeError as error:
                raise DamagedFile(
                    f"the file is not written in {self._encoding} throughout: {error.reason}",
                    "undecodable",
                    incomplete=not found,
                ) from error
            if text or not found:
                return text.encode(self._to, "backslashreplace")
