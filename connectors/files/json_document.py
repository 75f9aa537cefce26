"""One JSON document: the objects of an array, or of a list that stands within an object."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.files.damage import DamagedFile
from connectors.files.documents import Item
from connectors.files.guarded import LONGEST_RECORD, Readable
from connectors.files.json_record import json_record
from connectors.files.json_text import JsonText
from connectors.files.lines import too_long
from connectors.mapping.values import shown
from connectors.portions import Broken


def json_items(
    file: Readable, records: str | None, columns: tuple[str, ...] | None = None
) -> Iterator[Item]:
    """The records of a document, one by one; an object in place of a list is one record.

    Args:
        file: in UTF-8.
        records: leads to the list through objects (``/result/rows``); None: the document is it.
        columns: names for the values of records that are arrays; None: records are objects.

    Raises:
        DamagedFile: the rest cannot be read.
    """
    text = JsonText(file)
    steps = [
        step.replace("~1", "/").replace("~0", "~")
        for step in (records or "").removeprefix("/").split("/")
        if records
    ]
    for depth, step in enumerate(steps):
        if not _enter(text, step):
            found = "/" + "/".join(steps[: depth + 1])
            reason = f"nothing stands at {found}: say in the mapping with 'records' where they are"
            raise DamagedFile(reason, "no_records")
    first = text.expect("[{n" if steps else "[{")
    if first == "{":
        yield _item(text, 1, columns)
    elif first == "n":
        text.value()
    else:
        yield from _entries(text, columns)
    for _ in steps:
        _leave(text)
    if text.next_sign():
        reason = "something follows the document: if it has an object in each line, its 'format'"
        raise DamagedFile(f"{reason} is jsonl; otherwise deliver it again")


def _entries(text: JsonText, columns: tuple[str, ...] | None) -> Iterator[Item]:
    text.take("[")
    number = 0
    if text.expect('[]{"-0123456789tfnNI') == "]":
        text.take("]")
        return
    while True:
        number += 1
        yield _item(text, number, columns)
        if text.expect(",]") == "]":
            text.take("]")
            return
        text.take(",")


def _item(text: JsonText, number: int, columns: tuple[str, ...] | None) -> Item:
    raw, size = text.value()
    if size > LONGEST_RECORD:
        return too_long(number, raw), len(raw)
    try:
        row = json_record(raw.decode(), f"the record {shown(number)}", columns)
    except UnicodeDecodeError:
        reason = f"the record {number} is not written in UTF-8: name its 'encoding' in the mapping"
        return Broken(number, raw, "undecodable", reason), size
    return (Broken(number, raw, *row) if isinstance(row, tuple) else (number, row)), size


def _enter(text: JsonText, step: str) -> bool:
    """Go to the value of the member ``step``; False if the object has none."""
    if text.expect("{[") == "[":
        return False
    text.take("{")
    if text.expect('"}') == "}":
        return False
    while text.name() != step:
        text.value(keep=False)
        if text.expect(",}") == "}":
            return False
        text.take(",")
    text.expect('{["-0123456789tfn')
    return True


def _leave(text: JsonText) -> None:
    """Pass over the other members of the object."""
    while text.expect(",}") == ",":
        text.take(",")
        text.name()
        text.value(keep=False)
    text.take("}")
