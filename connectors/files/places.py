"""How far a file was read, and whether it is still the file that was read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from connectors.files.beginnings import Beginning

_SAMPLE = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """The next record of a file begins at ``offset``, in line ``line``.

    ``columns`` is the head line of a CSV, ``encoding`` and ``delimiter`` what was found in it.
    ``followed`` is the name of the file that this one was before it was rotated. ``tail`` is the
    end of a last line without a line end that a bounded read has taken already: it begins at
    ``offset`` and is read again if it grows. The rest recognizes the file: its inode, size and
    time when it was last looked at, and digests of its beginning (see ``Beginning``) and of the
    bytes just before the place.
    """

    offset: int = 0
    line: int = 1
    columns: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    followed: str = ""
    tail: int | None = None
    inode: int = 0
    size: int = 0
    modified: int = 0
    head: str = ""
    last: str = ""

    @property
    def end(self) -> int:
        """Where the bytes end that have been taken."""
        return self.offset if self.tail is None else self.tail

    def as_state(self) -> dict[str, Any]:
        """For the cursor in the database."""
        return asdict(self)


def place_from(state: Mapping[str, Any] | None) -> Place:
    """The place that a cursor of the database holds; the beginning where there is none."""
    if not state:
        return Place()
    known = {name: state[name] for name in Place.__dataclass_fields__ if name in state}
    known["columns"] = tuple(known.get("columns", ()))
    return Place(**known)


def unchanged(path: Path, place: Place, final: bool) -> bool:
    """Whether there is nothing to read: the file is as it was, and was read as far as it may be."""
    found = path.stat()
    same = (found.st_ino, found.st_size, found.st_mtime_ns) == (
        place.inode,
        place.size,
        place.modified,
    )
    return same and (place.end == found.st_size or not final)


def resume(file: BinaryIO, place: Place, beginning: Beginning) -> Place:
    """Where to go on in an open file: at ``place``, or at the beginning if it is another file.

    A file that was replaced, cut or written over is read again from its beginning; what is known
    of it is then found to be a repeat. ``beginning`` is that of the file.
    """
    found = os.fstat(file.fileno())
    looked = replace(place, inode=found.st_ino, size=found.st_size, modified=found.st_mtime_ns)
    if place.inode == 0:
        return looked
    rewritten = found.st_size == place.size and found.st_mtime_ns != place.modified
    if (
        found.st_ino != place.inode
        or found.st_size < place.end
        or rewritten
        or _sample(file, place.end - _SAMPLE, place.end) != place.last
        or not _begins_so(file, place, beginning)
    ):
        return Place(inode=found.st_ino, size=found.st_size, modified=found.st_mtime_ns)
    if place.tail is not None and found.st_size > place.tail:
        return replace(looked, tail=None)
    return looked


def sampled(file: BinaryIO, place: Place, beginning: Beginning) -> Place:
    """``place`` with the digests by which it is found again."""
    return replace(
        place,
        head=beginning.up_to(place.end),
        last=_sample(file, place.end - _SAMPLE, place.end),
    )


def _begins_so(file: BinaryIO, place: Place, beginning: Beginning) -> bool:
    # Cursors of earlier versions hold the digest of no more than the first 4 KiB.
    return place.head in (_sample(file, 0, place.end), beginning.up_to(place.end))


def _sample(file: BinaryIO, begin: int, end: int) -> str:
    begin = max(0, begin)
    return hashlib.sha256(os.pread(file.fileno(), min(_SAMPLE, end - begin), begin)).hexdigest()
