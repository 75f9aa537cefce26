"""One pass over all files of a source: read what is new, then build what it touched."""

from __future__ import annotations

import structlog

from connectors.assembly import build_touched
from connectors.door import Connection, Door
from connectors.files.places import Place, place_from, resume, sampled, unchanged
from connectors.files.reading import read_chunks
from connectors.files.units import Unit, find_units
from connectors.intake import take_chunk
from hub import metrics
from sinks import cursors

log = structlog.get_logger(__name__)


def make_pass(door: Door, path: str, final: bool) -> None:
    """Read the files under ``path`` from their cursors to their ends, then build documents.

    A pass that was killed while it built has published documents whose versions were not
    remembered. They are built first, from the same rows, so that they get the same versions.

    Args:
        door: the source.
        path: a file, folder or pattern.
        final: whether the files are as long as they will be (a bounded read).

    Raises:
        SourcePathError: there is nothing at ``path``.
        PublishError: the broker did not take the records; the next pass goes on from the cursor.
    """
    states = door.session.run(lambda connection: cursors.cursor_states(connection, door.source))
    note = door.session.run(lambda connection: cursors.read_note(connection, door.source))
    if note.get("building"):
        build_touched(door, final=False)
    for unit in find_units(path, door.mapping.streams, door.mapping.zone):
        _read(door, unit, place_from(states.get(unit.name)), final)
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


def _read(door: Door, unit: Unit, place: Place, final: bool) -> None:
    try:
        if unchanged(unit.path, place, final):
            return
        file = unit.path.open("rb")
    except OSError as error:
        # Taken away between listing and opening, or not ours to read: the others go on.
        log.warning("file_not_readable", source=door.source, file=unit.name, error=str(error))
        return
    with file:
        place = resume(file, place)
        for chunk in read_chunks(file, unit, place, final):
            place = sampled(file, chunk.place)
            state = place.as_state()

            def move(connection: Connection, state: dict[str, object] = state) -> None:
                cursors.save_cursor(connection, door.source, unit.name, state)

            take_chunk(door, unit, chunk, move)


def _waiting(door: Door) -> tuple[int, int]:
    return door.session.run(lambda connection: cursors.waiting_counts(connection, door.source))


def _mark(door: Door, building: bool) -> None:
    door.session.run(
        lambda connection: cursors.save_note(connection, door.source, {"building": building})
    )
