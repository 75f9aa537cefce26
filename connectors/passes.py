"""One pass over a source: read what is new, then build what it touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.assembly import build_touched, gives_up
from connectors.door import Door
from connectors.intake import take_portions
from connectors.kinds import Reader
from connectors.portions import Portion
from connectors.recognising import Recogniser
from connectors.traces import new_trace
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
        SourceError: the source cannot be read, or too much of it is gone at once.
        PublishError: the broker did not take the records; the next pass goes on from the cursor.
    """
    door.trace = new_trace()
    states = door.session.run(lambda connection: cursors.cursor_states(connection, door.source))
    note = door.session.run(lambda connection: cursors.read_note(connection, door.source))
    if note.get("building"):
        build_touched(door, final=False)
        # Nothing may be left to build: the pass was killed between its last document and its mark.
        _mark(door, building=False)
    recogniser = Recogniser(door)
    for several in together(recogniser.new_in(reader.portions(states, final))):
        take_portions(door, several)
    build(door, final)
    # Only now: one table that is not believed does not keep the others from being read.
    recogniser.complain()


def build(door: Door, final: bool) -> None:
    """Build the documents that were touched, and count those that lack a part.

    Args:
        door: the source.
        final: whether nothing more comes for those that lack a part.
    """
    touched, lacking = _waiting(door)
    timed = any(gives_up(event) for event in door.mapping.events)
    if touched or (lacking and (final or timed)):
        _mark(door, building=True)
        build_touched(door, final)
        _mark(door, building=False)
        touched, lacking = _waiting(door)
    door.report.waiting = lacking
    metrics.SOURCE_WAITING.labels(door.source).set(door.report.waiting)


def together(portions: Iterable[Portion]) -> Iterator[list[Portion]]:
    """Portions until they are enough: a transaction for each small file would cost more than it."""
    several: list[Portion] = []
    size = 0
    for portion in portions:
        several.append(portion)
        size += portion.size
        # What is gone goes after the rows beside it, and before those that come later: a whole
        # is compared with what stands after the one before it.
        if size >= _TOGETHER_BYTES or portion.gone or portion.whole is not None:
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
