"""Finds the files of a source and the stream that each of them holds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.errors import SourceError
from connectors.mapping.model import Stream
from connectors.mapping.values import to_micros
from connectors.portions import NO_DATE

_FORMATS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_UNFINISHED = (".tmp", ".part", ".swp", "~")
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?:[-_T.]?(\d\d)([-_.:]?)(\d\d)\6(\d\d))?(?!\d)"
)


class SourcePathError(SourceError):
    """The path of a source cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One file of a source; ``name`` is its path within the source's folder."""

    path: Path
    name: str
    stream: Stream
    format: str
    dated: int


def find_units(path: str, streams: Mapping[str, Stream], zone: ZoneInfo) -> list[Unit]:
    """The files under ``path`` that hold one of ``streams``, in the order of the streams, by name.

    Args:
        path: a file, a folder (with all folders in it) or a pattern.
        streams: of the mapping. A stream's ``from`` is compared with the name of the file and of
            each folder above it, and with the whole path in the source; the longest that fits wins.
        zone: in which a date in a file's name is read.

    Raises:
        SourcePathError: there is nothing at ``path``.
    """
    files = _files(path)
    order = {name: position for position, name in enumerate(streams)}
    units = []
    for file, name in files:
        stream = _stream_of(name, streams)
        if stream is None and len(streams) == 1 and Path(path) == file:
            stream = next(iter(streams.values()))
        kind = None
        if stream is not None:
            kind = stream.format or _FORMATS.get(file.suffix.lower())
        if stream is not None and kind is not None:
            units.append(Unit(file, name, stream, kind, date_in_name(file.name, zone)))
    return sorted(units, key=lambda unit: (order[unit.stream.name], unit.dated, unit.name))


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
            raise SourcePathError(f"{path}: there is no such file or folder")
        found = [(file, file.relative_to(base)) for file in base.glob(str(root.relative_to(base)))]
    return [
        # A file's name may hold bytes that are no text.
        (file, os.fsencode(name.as_posix()).decode("utf-8", "backslashreplace"))
        for file, name in found
        if file.is_file()
        and not any(part.startswith(".") for part in name.parts)
        and not file.name.endswith(_UNFINISHED)
    ]


def _stream_of(name: str, streams: Mapping[str, Stream]) -> Stream | None:
    parts = name.split("/")
    best: Stream | None = None
    for stream in streams.values():
        pattern = stream.pattern
        if pattern is None:
            fits = len(streams) == 1
        elif "/" in pattern:
            fits = fnmatchcase(name, pattern)
        else:
            fits = (
                any(fnmatchcase(part, pattern) for part in parts) or Path(parts[-1]).stem == pattern
            )
        if fits and (best is None or len(pattern or "") > len(best.pattern or "")):
            best = stream
    return best
