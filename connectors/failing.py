"""What keeps a followed source from being read: told once, and noted where people look."""

from __future__ import annotations

import re

import structlog

from connectors.door import Connection, Door
from connectors.errors import SourceError
from connectors.files.units import NothingThere
from hub import metrics
from hub.clock import utc_now
from sinks import cursors

log = structlog.get_logger(__name__)

_NUMBERS = re.compile(r"[0-9]+")


class Condition:
    """How it stands with a source that is followed.

    What is told of it stands in the log when it begins and when it ends, in the note of the source
    (``failing`` with ``error`` and ``since``) and in ``headrace_source_failing``.

    Args:
        door: of the source.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._told: str | None = None

    def failed(self, error: SourceError) -> None:
        """A pass could not read it."""
        # A text that counts rows or seconds says the same thing with other numbers each time.
        said = _NUMBERS.sub("", str(error))
        if said == self._told:
            return
        self._told = said
        if isinstance(error, NothingThere):
            log.info("source_not_there", source=self._door.source, error=str(error))
            self._note(None)
        else:
            log.error("source_failing", source=self._door.source, error=str(error))
            self._note(str(error))

    def passed(self) -> None:
        """A pass has read it to its end."""
        if self._told == "":
            return
        if self._told is not None:
            log.info("source_read_again", source=self._door.source)
        # Also after a start: another process may have left its note.
        self._told = ""
        self._note(None)

    def _note(self, error: str | None) -> None:
        source = self._door.source
        metrics.SOURCE_FAILING.labels(source).set(0 if error is None else 1)

        def note(connection: Connection) -> None:
            before = cursors.read_note(connection, source).get("failing")
            if error is None and before is None:
                return
            since = before["since"] if before else utc_now().isoformat(timespec="seconds")
            failing = None if error is None else {"error": error, "since": since}
            cursors.save_note(connection, source, {"failing": failing})

        self._door.session.run(note)
