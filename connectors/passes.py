"""One pass over a source: read what is new, then build what it touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.assembly import build_touched
from connectors.door import Door
from connectors.intake import take_portions
from connectors.kinds import Reader
from connectors.portions import Portion
from hub import metrics
from sinks import cursors

#: What is taken at once: a chunk of a large file, or many small files.
_TOGETHER_BYTES = 256 * 1024


def make_pass(door: Door, reader: Reader, final: bool) -> None:
    """Read a source from its cursors to its end, then build documents.

    A pass that was killed while it built has published documents whose versions were not
    remembered. They are built first, from the same rows, so that they get the same versions.

    Args:
        door: the source.
        reader: of the source.
        final: whether the source is as long as it will be (a bounded read).

    Raises:
        SourceError: the source cannot be read.
        PublishError: the broker did not take the records; the next pass goes on from the cursor.
    """
    states = door.session.run(lambda connection: cursors.cursor_states(connection, door.source))
    note = door.session.run(lambda connection: cursors.read_note(connection, door.source))
    if note.get("building"):
        build_touched(door, final=False)
    for several in _together(reader.portions(states, final)):
        take_portions(door, several)
    touched, lacking = _waiting(door)
    if touched or (lacking and final):
        _mark(door, building=True)
        build_touched(door, final)
        _mark(door, building=False)
        touched, lacking = _waiting(door)
    elif lacking:
        build_touched(door, final)
    door.report.waiting = lacking
    metrics.SOURCE_WAITING.labels(door.source).set(door.report.waiting)


def _together(portions: Iterable[Portion]) -> Iterator[list[Portion]]:
    """Portions until they are enough: a transaction for each small file would cost more than it."""
    several: list[Portion] = []
    size = 0
    for portion in portions:
        several.append(portion)
        size += portion.size
        if size >= _TOGETHER_BYTES:
            yield several
            several, size = [], 0
    if several:
        yield several


def _waiting(door: Door) -> tuple[int, int]:
    return door.session.run(lambda connection: cursors.waiting_counts(connection, door.source))


def _mark(door: Door, building: bool) -> None:
    door.session.run(
        lambda connection: cursors.save_note(connection, door.source, {"building": building})
    )
