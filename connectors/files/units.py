"""Finds the files of a source and the stream that each of them holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.errors import SourceError
from connectors.files.archives import Member, is_archive, members_of
from connectors.files.damage import DamagedFile
from connectors.mapping.model import Stream
from connectors.mapping.values import NO_DATE, to_micros

_FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xml": "xml",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_QUEUE_LOG = "queue_log"
_UNFINISHED = (".tmp", ".part", ".swp", "~")
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?:[-_T.]?(\d\d)([-_.:]?)(\d\d)\6(\d\d))?(?!\d)"
)


class SourcePathError(SourceError):
    """The path of a source cannot be read; the message says what to do."""


class NothingThere(SourcePathError):
    """There is nothing at the path of a source, or not yet."""


class Packing(StrEnum):
    """How the bytes of a file lie in the file system."""

    PLAIN = "plain"
    GZ = "gz"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Unit:
    """One file of a source; ``name`` is its path within the source's folder.

    A file in a zip has the archive's ``path``, is named ``archive.zip/member``, and ``member`` in
    the archive. ``damage`` says why it cannot be read at all.
    """

    path: Path
    name: str
    stream: Stream
    format: str
    dated: int
    packing: Packing = Packing.PLAIN
    member: str = ""
    damage: DamagedFile | None = None


def find_units(path: str, streams: Mapping[str, Stream], zone: ZoneInfo) -> list[Unit]:
    """The files under ``path`` that hold one of ``streams``, in the order of the streams, by name.

    Args:
        path: a file, a folder (with all folders in it) or a pattern.
        streams: of the mapping. A stream's ``from`` is compared with the name of the file and of
            each folder and archive above it, and with the whole path in the source; the longest
            that fits wins.
        zone: in which a date in a file's name is read.

    Raises:
        NothingThere: there is nothing at ``path``.
    """
    order = {name: position for position, name in enumerate(streams)}
    units = [
        unit
        for file, name in _files(path)
        for unit in _units_at(file, name, streams, zone, Path(path) == file)
    ]
    return sorted(units, key=lambda unit: (order[unit.stream.name], unit.dated, unit.name))


def unit_at(
    file: Path, name: str, stream: Stream, zone: ZoneInfo, member: Member | None = None
) -> Unit | None:
    """A file, or a member of a zip, as a unit of ``stream``; None where no format fits."""
    packing = Packing.PLAIN
    plain = name
    damage = None
    if member is not None:
        packing, damage = Packing.ZIP, member.damage
    elif name.lower().endswith(".gz"):
        packing, plain = Packing.GZ, name[:-3]
        if is_archive(plain):
            damage = DamagedFile("an archive in a gz is not opened: unpack it", "nested_archive")
    found = stream.format or _format_of(plain)
    if found is None and damage is None:
        return None
    dated = date_in_name(name.rpartition("/")[2], zone)
    if member is not None and dated == NO_DATE:
        dated = date_in_name(file.name, zone)
    inside = "" if member is None else member.name
    return Unit(file, name, stream, found or "", dated, packing, inside, damage)


def date_in_name(name: str, zone: ZoneInfo) -> int:
    """The date, and the time if there is one, that a file's name states, in µs since 1970.

    ``NO_DATE`` where it states none: the time of the file in the file system is another one each
    time the same file is delivered, so it is never used.
    """
    for found in _DATE.finditer(name):
        year, _, month, day, hour, _, minute, second = found.groups()
        try:
            at = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                tzinfo=zone,
            )
        except ValueError:
            continue
        return to_micros(at.astimezone(UTC))
    return NO_DATE


def _format_of(name: str) -> str | None:
    last = name.rpartition("/")[2]
    if last.startswith(_QUEUE_LOG):
        return _QUEUE_LOG
    return _FORMATS.get(Path(last).suffix.lower())


def _units_at(
    file: Path, name: str, streams: Mapping[str, Stream], zone: ZoneInfo, only: bool
) -> Iterator[Unit]:
    """The units of one file: itself, or the members of a zip. ``only`` is the whole source."""
    if not name.lower().endswith(".zip"):
        stream = _stream_of(name, streams, only)
        unit = None if stream is None else unit_at(file, name, stream, zone)
        if unit is not None:
            yield unit
        return
    try:
        members = members_of(file)
    except OSError:
        # Taken away, or not ours to read: what opens it will say so.
        return
    for member in members:
        inside = f"{name}/{member.name}" if member.name else name
        stream = _stream_of(inside, streams, only)
        if stream is None and not member.name:
            # It may hold records of any stream.
            stream = next(iter(streams.values()))
        unit = None if stream is None else unit_at(file, inside, stream, zone, member)
        if unit is not None:
            yield unit


def _files(path: str) -> list[tuple[Path, str]]:
    root = Path(path)
    if root.is_dir():
        found = [(file, file.relative_to(root)) for file in root.rglob("*")]
    elif root.is_file():
        return [(root, root.name)]
    else:
        base = root
        while base != base.parent and any(sign in str(base) for sign in "*?["):
            base = base.parent
        if base == root or not base.is_dir():
            raise NothingThere(f"{path}: there is no such file or folder")
        found = [(file, file.relative_to(base)) for file in base.glob(str(root.relative_to(base)))]
    return [
        # A file's name may hold bytes that are no text.
        (file, os.fsencode(name.as_posix()).decode("utf-8", "backslashreplace"))
        for file, name in found
        if file.is_file()
        and not any(part.startswith(".") for part in name.parts)
        and not file.name.endswith(_UNFINISHED)
    ]


def _stream_of(name: str, streams: Mapping[str, Stream], only: bool) -> Stream | None:
    parts = name.split("/")
    stems = [_stem(part) for part in parts if part is parts[-1] or part.lower().endswith(".zip")]
    best: Stream | None = None
    for stream in streams.values():
        pattern = stream.pattern
        if pattern is None:
            fits = len(streams) == 1
        elif "/" in pattern:
            fits = fnmatchcase(name, pattern)
        else:
            fits = any(fnmatchcase(part, pattern) for part in parts) or pattern in stems
        if fits and (best is None or len(pattern or "") > len(best.pattern or "")):
            best = stream
    if best is None and only and len(streams) == 1:
        return next(iter(streams.values()))
    return best


def _stem(name: str) -> str:
    """A file's name without its ending, and without that of its packing."""
    return Path(name.removesuffix(".gz")).stem
