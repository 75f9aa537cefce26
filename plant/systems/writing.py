"""Writes export files that only ever grow: what stands there already is checked, never written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_BUFFER_BYTES = 256 * 1024


class NotThisPlant(Exception):
    """A folder holds another plant; the message says what to do."""


@dataclass(slots=True)
class GrowingFile:
    """A file of whole lines; bytes that it has from an earlier run are compared, new ones appended.

    ``lines`` counts those that belong to it so far, its head line among them.
    """

    path: Path
    lines: int = 0
    _offset: int = 0
    _waiting: list[bytes] = field(default_factory=list)
    _waiting_bytes: int = 0

    def add(self, line: bytes) -> int:
        """Append a line, with its line end, and return its number in the file."""
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        self.lines += 1
        if self._waiting_bytes > _BUFFER_BYTES:
            self.flush()
        return self.lines

    def flush(self) -> None:
        """Bring to the disk what is still in memory, in one piece.

        Raises:
            NotThisPlant: the file holds something else at this place.
        """
        if not self._waiting:
            return
        content = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            standing = os.pread(handle, len(content), self._offset)
            if not content.startswith(standing):
                raise NotThisPlant(
                    f"{self.path} is not the beginning of the same file of this plant: name an"
                    " empty folder, or the parameters that the plant there was made with"
                )
            rest = content[len(standing) :]
            while rest:
                rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)
        self._offset += len(content)

    def finish(self) -> None:
        """Flush, and make sure that nothing of a later day stands behind.

        Raises:
            NotThisPlant: the file is longer than it should be by now.
        """
        self.flush()
        if self._offset and self.path.stat().st_size != self._offset:
            raise NotThisPlant(
                f"{self.path} goes on beyond this day: a plant grows, it is not cut back; name an"
                " empty folder, or a later day"
            )
