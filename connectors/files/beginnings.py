"""Knows the beginning of a file again, at a cost that hardly grows with the file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from connectors.files.guarded import MIB

#: So much counts as a whole.
WHOLE = 32 * MIB
#: Behind it, each time the file doubles, as many blocks of this size count, evenly apart.
BLOCK = 64 * 1024
_BLOCKS = 64


class Beginning:
    """The digest of what an open file holds up to a place; it goes on with the place.

    Which bytes count depends on nothing but where they stand, so that a file that is read bit by
    bit has each byte reckoned once.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._end = 0

    def up_to(self, end: int) -> str:
        """The digest of the bytes before the offset ``end``."""
        if end < self._end:
            self._digest, self._end = hashlib.sha256(), 0
        for begin, stop in _counted(self._end, end):
            self._digest.update(os.pread(self._file.fileno(), stop - begin, begin))
        self._end = end
        return self._digest.hexdigest()


def _counted(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """What counts between two offsets, each piece by its begin and its end."""
    while begin < end:
        apart = _apart(begin)
        block = begin - begin % apart
        if begin < block + BLOCK:
            yield begin, min(block + BLOCK, end)
        begin = block + apart


def _apart(offset: int) -> int:
    """How far the blocks around an offset begin from each other."""
    doubled = (offset // WHOLE).bit_length()
    return BLOCK if doubled == 0 else (WHOLE << (doubled - 1)) // _BLOCKS
