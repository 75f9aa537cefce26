"""Reads files that only make sense as a whole: documents, workbooks and what is packed."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any

import structlog

from connectors.files.damage import DamagedFile
from connectors.files.dialects import UTF_16, find_encoding
from connectors.files.documents import Item, gathered
from connectors.files.guarded import Guarded, Inflating, Readable, Transcoded, open_member
from connectors.files.json_document import json_items
from connectors.files.places import Place
from connectors.files.reading import read_chunks
from connectors.files.units import Packing, Unit
from connectors.files.xlsx_sheet import xlsx_items
from connectors.files.xml_document import xml_items
from connectors.portions import Broken, Origin, Portion

log = structlog.get_logger(__name__)

#: Inode, size, and time of the last change in ns: by these a file is seen to have changed.
Stands = tuple[int, int, int]

DOCUMENTS = ("json", "xml", "xlsx")
_HEAD_BYTES = 64 * 1024


class Ended(StrEnum):
    """How the reading of a file ended: not yet, at its end, too early, or never to go on."""

    NOT = ""
    WHOLE = "whole"
    CUT = "cut"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Reached:
    """The record ``number`` of the file with this ``digest`` was the last one that was taken.

    Inode, size and time say whether the file has to be looked at again.
    """

    number: int = 0
    digest: str = ""
    ended: Ended = Ended.NOT
    inode: int = 0
    size: int = 0
    modified: int = 0

    def as_state(self) -> dict[str, Any]:
        """For the cursor in the database."""
        return asdict(self)


def reached_from(state: Mapping[str, Any] | None) -> Reached:
    """What a cursor of the database holds; the beginning where it is none of such a file."""
    if not state or "digest" not in state:
        return Reached()
    known = {name: state[name] for name in Reached.__dataclass_fields__ if name in state}
    return Reached(**(known | {"ended": Ended(known["ended"])}))


def is_whole(unit: Unit) -> bool:
    """Whether a file is read as a whole whatever stands in it."""
    return bool(unit.damage or unit.packing != Packing.PLAIN or unit.format in DOCUMENTS)


def read_whole(
    unit: Unit, origin: Origin, reached: Reached, final: bool, most: int
) -> Iterator[Portion]:
    """What is new in a file; one that has changed is read from its beginning.

    Args:
        unit: the file.
        origin: of its records.
        reached: how far it was read.
        final: whether it is as long as it will be: if it ends early, that is then a dead letter;
            otherwise it is left until it has changed.
        most: how many bytes it may have inflated.
    """
    stands = stands_of(unit.path)
    over = reached.ended in (Ended.WHOLE, Ended.DAMAGED)
    left = reached.ended == Ended.CUT and not final
    if stands == (reached.inode, reached.size, reached.modified) and (over or left):
        return
    digest = digest_of(unit.path, *stands)
    known = reached if reached.digest == digest else Reached(digest=digest)
    now = replace(known, inode=stands[0], size=stands[1], modified=stands[2])
    if over and known is reached:
        yield Portion(origin, state=now.as_state())
        return
    try:
        for rows, broken, size in records_of(unit, known.number, most, final):
            now = replace(now, number=last_number(rows, broken, now.number))
            yield Portion(origin, rows, broken, now.as_state(), size)
    except DamagedFile as damage:
        yield stopped(origin, now, damage, final)
    else:
        # Plain lines in UTF-16 may end in half a line, which is left while they are followed.
        ended = Ended.WHOLE if final or is_whole(unit) else Ended.CUT
        yield Portion(origin, state=replace(now, ended=ended).as_state())


def stopped(origin: Origin, now: Reached, damage: DamagedFile, final: bool) -> Portion:
    """What a file hands in last that cannot be read on: its dead letter, or that it is left."""
    if damage.incomplete and not final:
        log.warning("file_left_for_later", file=origin.name, reason=damage.reason)
        return Portion(origin, state=replace(now, ended=Ended.CUT).as_state())
    # The file itself may be too large for a dead letter; by these words it is known again.
    known = f"{origin.name}: {now.size} bytes, sha256 {now.digest}".encode()
    reason = f"{damage.reason} ({now.number} records before it were read)"
    broken = Broken(now.number + 1, known, damage.code, reason)
    return Portion(origin, (), [broken], replace(now, ended=Ended.DAMAGED).as_state())


def records_of(
    unit: Unit, behind: int, most: int, final: bool
) -> Iterator[tuple[list[tuple[int, dict[str, Any]]], list[Broken], int]]:
    """Rows, broken records and sizes behind the record of the number ``behind``.

    Raises:
        DamagedFile: the rest cannot be read.
    """
    if unit.damage is not None:
        raise unit.damage
    _check(unit, most, final)
    with ExitStack() as stack:
        file = stack.enter_context(unit.path.open("rb"))
        if unit.format in DOCUMENTS:
            for several in gathered(_items(unit, file, stack, most)):
                rows = [one for one, _ in several if isinstance(one, tuple) and one[0] > behind]
                broken = [
                    one for one, _ in several if isinstance(one, Broken) and one.number > behind
                ]
                if rows or broken:
                    yield rows, broken, sum(size for _, size in several)
            return
        whole = final or unit.packing != Packing.PLAIN
        for chunk in read_chunks(_opened(unit, file, stack, most), unit, Place(), whole):
            rows = [row for row in chunk.rows if row[0] > behind]
            broken = [one for one in chunk.broken if one.number > behind]
            if rows or broken:
                yield rows, broken, chunk.size


def _check(unit: Unit, most: int, final: bool) -> None:
    """Inflate a packed file once before its records are trusted: its checksum stands at its end.

    One that only ends early is good as far as it goes.
    """
    if unit.packing == Packing.PLAIN:
        return
    try:
        with ExitStack() as stack:
            file = _opened(unit, stack.enter_context(unit.path.open("rb")), stack, most)
            while file.read(_HEAD_BYTES):
                pass
    except DamagedFile as damage:
        if not (damage.incomplete and final):
            raise


def _items(unit: Unit, file: BufferedReader, stack: ExitStack, most: int) -> Iterator[Item]:
    if unit.format == "xlsx":
        return xlsx_items(file, unit.stream, most)
    opened = _opened(unit, file, stack, most)
    if unit.format == "xml":
        return xml_items(opened, unit.stream.records)
    return json_items(opened, unit.stream.records, unit.stream.columns)


def _opened(unit: Unit, file: BufferedReader, stack: ExitStack, most: int) -> Readable:
    """The bytes of a file, inflated, and in UTF-8 where the format does not say its encoding."""
    size = unit.path.stat().st_size
    inner: Inflating = file
    if unit.packing == Packing.GZ:
        inner = stack.enter_context(gzip.GzipFile(fileobj=file))
    elif unit.packing == Packing.ZIP:
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            size = archive.getinfo(unit.member).compress_size
            inner = stack.enter_context(open_member(archive, unit.member))
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
            raise DamagedFile(f"the archive is damaged ({error}): deliver it again") from error
    packed = None if unit.packing == Packing.PLAIN else size
    guarded = Guarded(inner, most, packed)
    if unit.format == "xml":
        return guarded
    head = _Headed(guarded)
    declared = unit.stream.encoding
    if head.text.startswith(UTF_16):
        return Transcoded(head, "utf-16", "utf-8" if unit.format == "json" else declared or "utf-8")
    if unit.format != "json":
        return head
    return _in_utf_8(head, declared) if declared else _Found(head)


def _in_utf_8(file: Readable, encoding: str) -> Readable:
    return file if encoding == "utf-8" else Transcoded(file, encoding)


class _Found:
    """Reads a file in UTF-8 whose encoding is found once its first sign beyond ASCII comes."""

    def __init__(self, inner: Readable) -> None:
        self._inner = inner
        self._rest: Readable | None = None

    def read(self, size: int, /) -> bytes:
        """See ``Readable``."""
        if self._rest is None:
            found = self._inner.read(size)
            if found.isascii():
                return found
            head = _Headed(self._inner, found)
            self._rest = _in_utf_8(head, find_encoding(head.text))
        return self._rest.read(size)


class _Headed:
    """Reads a file whose beginning, of which ``begun`` was read, has been looked at."""

    def __init__(self, inner: Readable, begun: bytes = b"") -> None:
        self._inner = inner
        self.text = begun + inner.read(_HEAD_BYTES)
        self._left = self.text

    def read(self, size: int, /) -> bytes:
        """See ``Readable``."""
        if self._left:
            found, self._left = self._left[:size], self._left[size:]
            return found
        return self._inner.read(size)


def last_number(
    rows: Sequence[tuple[int, dict[str, Any]]], broken: Sequence[Broken], before: int
) -> int:
    """The number of the last of these records, or that of the one before them."""
    return max([before, *(number for number, _ in rows[-1:]), *(one.number for one in broken[-1:])])


def stands_of(path: Path) -> Stands:
    """How a file stands now."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


# A zip is asked for by each file in it.
@lru_cache(maxsize=100)
def digest_of(path: Path, inode: int, size: int, modified: int) -> str:
    """The digest of a file's bytes, reckoned once for the state in which it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
