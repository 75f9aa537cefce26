"""The files of a source, each read from its place to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from connectors.files.places import Place, place_from, resume, sampled, unchanged
from connectors.files.reading import parser_for, read_chunks
from connectors.files.units import Unit, find_units
from connectors.mapping.model import SourceMapping
from connectors.portions import Broken, Origin, Portion

log = structlog.get_logger(__name__)


class FilesReader:
    """Reads a file, a folder or a pattern; see ``connectors.kinds.Reader``."""

    def __init__(self, path: str, mapping: SourceMapping, source: str) -> None:
        self._path = path
        self._mapping = mapping
        self._source = source

    def check(self) -> None:
        """Raises SourcePathError where there is nothing at the path."""
        self._units()

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """Chunks of the files, file by file; one that cannot be opened is left for the next pass.

        Raises:
            SourcePathError: there is nothing at the path.
        """
        for unit in self._units():
            yield from self._portions_of(unit, place_from(states.get(unit.name)), final)

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Parse a line again, with the format and the head line that its file had."""
        unit = Unit(
            Path(origin.name), origin.name, origin.stream, origin.texts["format"], origin.dated
        )
        columns: list[str] = orjson.loads(origin.texts["columns"])
        parsed = parser_for(unit, tuple(columns)).parse([broken.raw], broken.number, last=True)
        return Portion(origin, parsed.rows, parsed.broken)

    def _units(self) -> list[Unit]:
        return find_units(self._path, self._mapping.streams, self._mapping.zone)

    def _portions_of(self, unit: Unit, place: Place, final: bool) -> Iterator[Portion]:
        try:
            if unchanged(unit.path, place, final):
                return
            file = unit.path.open("rb")
        except OSError as error:
            # Taken away between listing and opening, or not ours to read: the others go on.
            log.warning("file_not_readable", source=self._source, file=unit.name, error=str(error))
            return
        with file:
            place = resume(file, place)
            for chunk in read_chunks(file, unit, place, final):
                place = sampled(file, chunk.place)
                yield Portion(
                    _origin(unit, place), chunk.rows, chunk.broken, place.as_state(), chunk.size
                )


def _origin(unit: Unit, place: Place) -> Origin:
    texts = {"format": unit.format, "columns": orjson.dumps(place.columns).decode()}
    return Origin(unit.name, unit.stream, unit.dated, texts)
