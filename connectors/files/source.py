"""The files of a source, each read from its place to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
import structlog

from connectors.files.beginnings import Beginning
from connectors.files.dialects import UTF_16, Dialect
from connectors.files.full_exports import FullExports, require_order
from connectors.files.guarded import MIB
from connectors.files.heads import MISSING_COLUMNS
from connectors.files.places import Place, resume, sampled, unchanged
from connectors.files.reading import parser_for, read_chunks
from connectors.files.rotation import Rotation
from connectors.files.units import Unit, find_units
from connectors.files.wholes import Reached, is_whole, reached_from, read_whole
from connectors.mapping.model import SourceMapping
from connectors.portions import Broken, Origin, Portion

log = structlog.get_logger(__name__)

#: How many bytes a packed file may have inflated, unless the source says otherwise.
MOST_INFLATED = 1024 * MIB
_LINES = ("csv", "tsv", "jsonl", "queue_log")
#: Of these a line says nothing without the head line.
_HEADED = ("csv", "tsv")
#: Codes of lines that a mended mapping may read.
_PARSED_AGAIN = ("undecodable", "broken_csv", "broken_json", "broken_queue_log")


class FilesReader:
    """Reads a file, a folder or a pattern; see ``connectors.kinds.Reader``.

    Args:
        path: of the file or folder, or the pattern.
        mapping: which streams the files hold.
        source: its name.
        most_inflated: how many bytes a packed file may have.
        clock: seconds from anywhere, never going back.
    """

    def __init__(
        self,
        path: str,
        mapping: SourceMapping,
        source: str,
        most_inflated: int = MOST_INFLATED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._path = path
        self._mapping = mapping
        self._source = source
        self._most_inflated = most_inflated
        self._full_exports = FullExports(source, most_inflated, clock)

    def check(self) -> None:
        """Raises SourcePathError where there is nothing at the path, or no order in exports."""
        self._exports(self._units())

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """Chunks of the files, file by file; one that cannot be opened is left for the next pass.

        Raises:
            SourcePathError: there is nothing at the path, or no order in full exports.
        """
        found = self._units()
        exports = self._exports(found)
        units = [unit for unit in found if not _is_export(unit)]
        rotation = Rotation(self._source, units, states)
        for unit, place in rotation.renamed():
            yield Portion(_origin(unit, _dialect_of(place)), state=place.as_state())
        for unit, place in rotation.followed():
            yield from self._lines_of(unit, place, final)
        for unit in units:
            for rest, place in rotation.rests(unit):
                yield from self._lines_of(rest, place, final)
            if is_whole(unit) or self._is_utf_16(unit, rotation, final):
                yield from self._whole_of(unit, reached_from(states.get(unit.name)), final)
            else:
                yield from self._lines_of(unit, rotation.place_of(unit), final)
        for several in exports:
            origins = [(unit, _origin(unit, Dialect())) for unit in several]
            yield from self._full_exports.portions(origins, states, final)

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Parse a line again, with the format and the head line that its file had.

        What is no line by itself stays broken: its file is read again when it has changed. One
        whose head lacks columns is read again by the next pass, since the mapping may be mended.
        """
        if broken.code == MISSING_COLUMNS:
            return Portion(origin, state={})
        form = origin.texts["format"]
        if form not in _LINES or broken.code not in _PARSED_AGAIN:
            return Portion(origin, (), [broken])
        unit = Unit(Path(origin.name), origin.name, origin.stream, form, origin.dated)
        columns: list[str] = orjson.loads(origin.texts["columns"])
        if form in _HEADED and not columns:
            return Portion(origin, (), [broken])
        texts = origin.texts
        known = Dialect(texts.get("encoding", ""), texts.get("delimiter", ""), tuple(columns))
        parsed = parser_for(unit, known).parse([broken.raw], broken.number, last=True)
        return Portion(origin, parsed.rows, parsed.broken)

    def _units(self) -> list[Unit]:
        return find_units(self._path, self._mapping.streams, self._mapping.zone)

    def _exports(self, units: list[Unit]) -> list[list[Unit]]:
        """The full exports by stream, each list in its order."""
        found = groupby(filter(_is_export, units), key=lambda unit: unit.stream.name)
        exports = [list(several) for _, several in found]
        for several in exports:
            require_order(several)
        return exports

    def _is_utf_16(self, unit: Unit, rotation: Rotation, final: bool) -> bool:
        """Whether the lines are written in UTF-16, whose line ends are no single bytes."""
        try:
            if unchanged(unit.path, rotation.place_of(unit), final):
                return False
            with unit.path.open("rb") as file:
                return file.read(2) in UTF_16
        except OSError:
            # Reading it says why.
            return False

    def _whole_of(self, unit: Unit, reached: Reached, final: bool) -> Iterator[Portion]:
        try:
            origin = _origin(unit, Dialect())
            yield from read_whole(unit, origin, reached, final, self._most_inflated)
        except OSError as error:
            self._leave(unit, error)

    def _lines_of(self, unit: Unit, place: Place, final: bool) -> Iterator[Portion]:
        try:
            if unchanged(unit.path, place, final):
                return
            file = unit.path.open("rb")
        except OSError as error:
            self._leave(unit, error)
            return
        with file:
            beginning = Beginning(file)
            place = resume(file, place, beginning)
            file.seek(place.offset)
            for chunk in read_chunks(file, unit, place, final):
                place = sampled(file, chunk.place, beginning)
                origin = _origin(unit, _dialect_of(place))
                yield Portion(origin, chunk.rows, chunk.broken, place.as_state(), chunk.size)

    def _leave(self, unit: Unit, error: OSError) -> None:
        """Taken away between listing and opening, or not ours to read: the others go on."""
        log.warning("file_not_readable", source=self._source, file=unit.name, error=str(error))


def _is_export(unit: Unit) -> bool:
    # One that cannot be read at all says so as any other file does.
    return unit.stream.most_deleted is not None and unit.damage is None


def _dialect_of(place: Place) -> Dialect:
    return Dialect(place.encoding, place.delimiter, place.columns)


def _origin(unit: Unit, dialect: Dialect) -> Origin:
    texts = {
        "format": unit.format,
        "encoding": dialect.encoding,
        "delimiter": dialect.delimiter,
        "columns": orjson.dumps(dialect.columns).decode(),
    }
    return Origin(unit.name, unit.stream, unit.dated, texts)
