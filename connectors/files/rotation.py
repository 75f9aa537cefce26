"""Follows a file that was renamed: its rest is read under the name that it has now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from connectors.files.beginnings import Beginning
from connectors.files.places import Place, place_from, resume
from connectors.files.units import Packing, Unit

log = structlog.get_logger(__name__)

Followed = tuple[Unit, Place]


class Rotation:
    """Finds files again by their inodes and by what stands in them.

    Args:
        units: of the source, as they are now.
        states: of the cursors, by names.
    """

    def __init__(
        self, source: str, units: Sequence[Unit], states: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._source = source
        self._units = {unit.name: unit for unit in units if unit.packing == Packing.PLAIN}
        self._places = {
            name: place_from(state) for name, state in states.items() if "digest" not in state
        }
        self._by_inode: dict[int, Place] = {}
        for place in self._places.values():
            known = self._by_inode.get(place.inode)
            if known is None or known.end < place.end:
                self._by_inode[place.inode] = place

    def place_of(self, unit: Unit) -> Place:
        """How far a file was read, under this name or the one that it had before."""
        own = self._places.get(unit.name, Place())
        try:
            inode = unit.path.stat().st_ino
            moved = None if own.inode == inode else self._by_inode.get(inode)
            return moved if moved is not None and _is_same(unit.path, moved) else own
        except OSError:
            # Reading it says why.
            return own

    def renamed(self) -> Iterator[Followed]:
        """Files that were read under another name, whose cursor may now move on to another file."""
        for unit in self._units.values():
            place = self.place_of(unit)
            if place.inode and place is not self._places.get(unit.name):
                yield unit, place

    def rests(self, unit: Unit) -> Iterator[Followed]:
        """What ``unit`` was before another file took its name, if that lies beside it.

        One that belongs to the source under its new name is read there.
        """
        place = self._places.get(unit.name, Place())
        try:
            if place.inode and unit.path.stat().st_ino != place.inode:
                yield from self._renamed(unit, place)
        except OSError as error:
            log.warning("file_not_readable", source=self._source, file=unit.name, error=str(error))

    def followed(self) -> Iterator[Followed]:
        """Renamed files of earlier passes, to which something may still be written."""
        for name, place in self._places.items():
            unit = self._units.get(place.followed)
            if unit is None or name in self._units:
                continue
            path = unit.path.with_name(name.rpartition("/")[2])
            if path.is_file() and path.stat().st_ino == place.inode:
                yield replace(unit, path=path, name=name), place

    def _renamed(self, unit: Unit, place: Place) -> Iterator[Followed]:
        folder = unit.name.rpartition("/")[0]
        for path in unit.path.parent.iterdir():
            if _inode_of(path) != place.inode or not path.is_file():
                continue
            name = f"{folder}/{path.name}" if folder else path.name
            furthest = self._by_inode[place.inode]
            if name not in self._units and _is_same(path, furthest):
                yield replace(unit, path=path, name=name), replace(furthest, followed=unit.name)
                return


def _inode_of(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        # A link that leads nowhere, or taken away meanwhile.
        return None


def _is_same(path: Path, place: Place) -> bool:
    with path.open("rb") as file:
        return resume(file, place, Beginning(file)).end == place.end
