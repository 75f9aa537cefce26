"""A source that is paused is left alone, in the middle of a pass too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from connectors.door import Door
from connectors.errors import SourceError
from connectors.kinds import Reader
from connectors.portions import Broken, Origin, Portion
from sinks import cursors

_LOOK_S = 1.0


class SourcePaused(SourceError):
    """The source is not to be read now; the message says since when."""


class Heeding:
    """A reader that hands in nothing more once its source is paused, and counts its bytes."""

    def __init__(self, reader: Reader, door: Door) -> None:
        self._reader = reader
        self._door = door
        self._due = monotonic() + _LOOK_S

    def check(self) -> None:
        """See ``connectors.kinds.Reader``."""
        self._reader.check()

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """See ``connectors.kinds.Reader``.

        Raises:
            SourcePaused: it is, and a bounded read is not to take the rest for missing.
        """
        for portion in self._reader.portions(states, final):
            self._door.report.bytes_read += portion.size
            yield portion
            if monotonic() < self._due:
                continue
            self._due = monotonic() + _LOOK_S
            if (since := paused_since(self._door)) is None:
                continue
            if final:
                raise paused(self._door.source, since)
            return

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """See ``connectors.kinds.Reader``."""
        return self._reader.again(origin, broken)


def paused_since(door: Door) -> str | None:
    """Since when (ISO 8601) the source is paused; None if it is not."""
    return door.session.run(lambda connection: cursors.paused_at(connection, door.source))


def paused(source: str, since: str) -> SourcePaused:
    """What is told to who wants to read a paused source."""
    return SourcePaused(
        f"paused since {since}: `headrace sources resume {source}` has it read again"
    )
