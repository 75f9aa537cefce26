"""One XML document: the elements at a path as nested records, with no DTD and no entity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from connectors.exact_json import DEEPEST
from connectors.files.damage import DamagedFile
from connectors.files.documents import Item
from connectors.files.guarded import LONGEST_RECORD, MIB, Readable
from connectors.portions import Broken

_TEXT = "#text"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TAG_NOT_FINISHED = 77
#: Errors of libxml2 that only what a DTD declares can make, met before its end is.
_OF_ENTITIES = frozenset(
    {etree.ErrorTypes.ERR_ENTITY_LOOP, etree.ErrorTypes.ERR_ENTITY_IS_EXTERNAL}
)
_AMPLIFIED = "entity amplification"
# libxml2 refuses texts of 10 MB by itself; a record may be made of many smaller ones.
_LONGEST = 2 * LONGEST_RECORD


def xml_items(file: Readable, records: str | None) -> Iterator[Item]:
    """The records of a document, one by one.

    Args:
        file: in the encoding that it declares.
        records: the end of the path to their elements (``IDOC``, ``Document/Stmt``), or with a
            ``/`` before it the whole path; None: each element in the outermost one.

    Raises:
        DamagedFile: the rest cannot be read.
    """
    watched = _Watched(file)
    try:
        yield from _records(watched, records)
    except etree.XMLSyntaxError as error:
        if error.code in _OF_ENTITIES or _AMPLIFIED in (error.msg or ""):
            raise _dtd_refused() from error
        cut = watched.ended and not watched.last.rstrip().endswith(b">")
        early = cut or error.code == _TAG_NOT_FINISHED
        what = "ends early" if early else f"is broken ({error.msg})"
        reason = f"the XML {what}: deliver the file again as a whole"
        raise DamagedFile(reason, incomplete=early) from error


class _Watched:
    """Counts what is read, so that one record cannot take all memory."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.taken = 0
        self.record_from = 0
        self.last = b""
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        """See ``Readable``."""
        found = self._file.read(size)
        self.taken += len(found)
        self.ended = not found
        self.last = (self.last + found)[-64:]
        if self.taken - self.record_from > _LONGEST:
            reason = f"more than {_LONGEST // MIB} MiB with no record's end: check 'records'"
            raise DamagedFile(reason, "record_too_long")
        return found


def _records(file: _Watched, path: str | None) -> Iterator[Item]:
    wanted = [] if path is None else path.removeprefix("/").split("/")
    events = etree.iterparse(
        file,
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    whole = path is not None and path.startswith("/")
    way: list[str] = []
    number = within = elements = 0
    for event, element in events:
        if event == "start":
            if not way:
                _refuse_dtd(element)
            way.append(_local(element.tag))
            elements += 1
            if within:
                within += 1
            elif _is_record(way, wanted, whole):
                within = 1
            continue
        way.pop()
        if within > 1:
            within -= 1
        elif within:
            within = 0
            number += 1
            size = file.taken - file.record_from
            file.record_from = file.taken
            yield _item(element, number), size
        if not within:
            _forget(element)
    if path is not None and not number and elements > 1:
        reason = f"there is no element {path}: say in the mapping with 'records' where they are"
        raise DamagedFile(reason, "no_records")


def _is_record(way: list[str], wanted: list[str], whole: bool) -> bool:
    if not wanted:
        return len(way) == 2
    return way == wanted if whole else way[-len(wanted) :] == wanted


def _refuse_dtd(root: etree._Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise _dtd_refused()


def _dtd_refused() -> DamagedFile:
    reason = "the XML has a DTD, which could make it name other files or grow without end:"
    return DamagedFile(f"{reason} export it without <!DOCTYPE …>", "dtd_refused")


def _forget(element: etree._Element) -> None:
    """Free an element and those before it; the parser still needs the one that it is in."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _item(element: etree._Element, number: int) -> tuple[int, dict[str, Any]] | Broken:
    try:
        found = _content(element, DEEPEST)
    except RecursionError:
        reason = f"the record {number} is nested more than {DEEPEST} levels deep"
        return Broken(number, f"<{_local(element.tag)}>".encode(), "too_deep", reason)
    if isinstance(found, dict):
        return number, found
    return number, {} if found is None else {_TEXT: found}


def _content(element: etree._Element, levels: int) -> dict[str, Any] | str | None:
    """A text where there is nothing but text; else an object of attributes and elements."""
    if not levels:
        raise RecursionError
    if element.get(_NIL) in ("true", "1"):
        return None
    row: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    text = element.text or ""
    for child in element:
        text += child.tail or ""
        if not isinstance(child.tag, str):
            continue
        name, value = _local(child.tag), _content(child, levels - 1)
        if name not in row:
            row[name] = value
        elif isinstance(row[name], list):
            row[name].append(value)
        else:
            row[name] = [row[name], value]
    if not row:
        return text
    if text.strip():
        row[_TEXT] = text.strip()
    return row


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]
