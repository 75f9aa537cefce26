"""What stops the reading of a file in its middle, with a code, a reason and what to do."""

from __future__ import annotations


class DamagedFile(Exception):
    """The rest of a file cannot be read; the records before it can.

    Args:
        reason: what was found where, and what to do.
        code: of the dead letter.
        incomplete: whether more of the file may be on its way, so that it is left for later while
            the source is followed.
    """

    def __init__(
        self, reason: str, code: str = "damaged_file", *, incomplete: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.incomplete = incomplete
