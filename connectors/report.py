"""What a run over a source did, counted while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class SourceReport:
    """Counts of one run.

    ``read`` are records; ``published`` and ``repeated`` documents and rows of joined streams that
    were known or older; ``rejected`` dead letters; ``waiting`` documents that lack a part.
    ``bytes_read`` of about ``bytes_ahead`` bytes were handed in (None: nobody knows).
    """

    source: str
    read: int = 0
    published: int = 0
    repeated: int = 0
    rejected: int = 0
    waiting: int = 0
    seconds: float = 0.0
    bytes_read: int = 0
    bytes_ahead: int | None = None


#: Told after each chunk; the report goes on changing, so it is read at once.
OnProgress = Callable[[SourceReport], None]
