"""Compiles how the files of a stream are written: format, encoding, and where its records stand."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.mapping.table_loading import share_named
from connectors.mapping.values import shown

if TYPE_CHECKING:
    from connectors.mapping.compiler import Compiler

FORMATS = ("csv", "tsv", "json", "jsonl", "xml", "xlsx", "queue_log")


def encoding_named(compiler: Compiler, name: Any) -> str | None:
    """Python's name of an encoding in which line ends and quotes are single ASCII bytes.

    None where none is named: it is then found in each file.
    """
    if name is None:
        return None
    try:
        found = codecs.lookup(str(name))
        plain = '\n"'.encode(found.name) == b'\n"'
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise compiler.fail(f"{shown(name)} cannot be read; allowed: utf-8, gb18030, cp1252 …")
    return found.name


def delimiter_named(compiler: Compiler, text: Any) -> str | None:
    """A column separator: one sign; None where none is named, so that it is found in each file."""
    if text is None:
        return None
    if not isinstance(text, str) or len(text) != 1 or text in '"\r\n':
        raise compiler.fail(f"expected one sign such as ';' or a tab, found {shown(text)}")
    return text


def records_named(compiler: Compiler, path: Any) -> str | None:
    """The way to the records of a document: ``/value`` in JSON, ``Document/Stmt`` in XML."""
    if path is None:
        return None
    if not isinstance(path, str) or not all(path.removeprefix("/").split("/")):
        message = f"expected a path such as /value (JSON) or IDOC (XML), found {shown(path)}"
        raise compiler.fail(message)
    return path


def columns_named(compiler: Compiler, names: Any) -> tuple[str, ...] | None:
    """Names for the values of a record that is an array, in its order."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        raise compiler.fail(f"expected a list of names, found {shown(names)}")
    twice = [each for each in names if names.count(each) > 1]
    if not names or twice:
        raise compiler.fail(f"each value has a name of its own, found {shown(names)}")
    return tuple(names)


def names_of(compiler: Compiler, names: Any) -> list[str]:
    """The columns that a file may lack."""
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        raise compiler.fail(f"expected a list of columns, found {shown(names)}")
    return names


def needed_in(stream: Mapping[str, Any], asked: Collection[str]) -> frozenset[str]:
    """The columns that the head of a file must have; ``asked`` are those that the mapping reads.

    A record that holds only what has changed has no head that says so.
    """
    return frozenset() if "partial" in stream else frozenset(asked) - {*stream.get("optional", [])}


def most_deleted_of(compiler: Compiler, node: dict[str, Any]) -> Decimal | None:
    """The share of a full export's records that may be gone; None where files are no full ones."""
    if "snapshot" not in node:
        if "most_deleted" in node:
            raise compiler.at("most_deleted").fail("only with 'snapshot: full'")
        return None
    if node["snapshot"] != "full":
        raise compiler.at("snapshot").fail(f"found {shown(node['snapshot'])}; allowed: full")
    if "partial" in node:
        raise compiler.at("snapshot").fail("a full export has no 'partial' records")
    return share_named(compiler.at("most_deleted"), node.get("most_deleted", "50%"))


def sheet_named(compiler: Compiler, sheet: Any) -> str | int | None:
    """A sheet of a workbook by its name, or by its number from 1."""
    if isinstance(sheet, str) and sheet and not sheet.isdecimal():
        return sheet
    return row_numbered(compiler, sheet)


def row_numbered(compiler: Compiler, number: Any) -> int | None:
    """A number from 1."""
    if number is None:
        return None
    if isinstance(number, bool) or not str(number).isdecimal() or int(number) < 1:
        raise compiler.fail(f"expected a number from 1, found {shown(number)}")
    return int(number)
