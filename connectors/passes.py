"""One pass over all files of a source: read what is new, then build what it touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import structlog

from connectors.assembly import build_touched
from connectors.door import Door
from connectors.files.places import Place, place_from, resume, sampled, unchanged
from connectors.files.reading import read_chunks
from connectors.files.units import Unit, find_units
from connectors.intake import Portion, take_portions
from hub import metrics
from sinks import cursors

log = structlog.get_logger(__name__)

#: What is taken at once: a chunk of a large file, or many small files.
_TOGETHER_BYTES = 256 * 1024


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
    units = find_units(path, door.mapping.streams, door.mapping.zone)
    portions = (
        portion
        for unit in units
        for portion in _portions(door.source, unit, place_from(states.get(unit.name)), final)
    )
    for several in _together(portions):
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
        size += portion.chunk.size
        if size >= _TOGETHER_BYTES:
            yield several
            several, size = [], 0
    if several:
        yield several


def _portions(source: str, unit: Unit, place: Place, final: bool) -> Iterator[Portion]:
    try:
        if unchanged(unit.path, place, final):
            return
        file = unit.path.open("rb")
    except OSError as error:
        # Taken away between listing and opening, or not ours to read: the others go on.
        log.warning("file_not_readable", source=source, file=unit.name, error=str(error))
        return
    with file:
        place = resume(file, place)
        for chunk in read_chunks(file, unit, place, final):
            place = sampled(file, chunk.place)
            yield Portion(unit, chunk, place.as_state())


def _waiting(door: Door) -> tuple[int, int]:
    return door.session.run(lambda connection: cursors.waiting_counts(connection, door.source))


def _mark(door: Door, building: bool) -> None:
    door.session.run(
        lambda connection: cursors.save_note(connection, door.source, {"building": building})
    )
