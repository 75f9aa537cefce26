"""Compiles the streams of a mapping: files, key and change time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.file_loading import (
    FORMATS,
    columns_named,
    delimiter_named,
    encoding_named,
    most_deleted_of,
    names_of,
    records_named,
    row_numbered,
    sheet_named,
)
from connectors.mapping.model import KeyOf, Stream
from connectors.mapping.operators.times import parse_day, parse_instant
from connectors.mapping.partial_loading import load_partial
from connectors.mapping.problems import Fault, MappingProblem, guessed
from connectors.mapping.rest_loading import load_read
from connectors.mapping.table_loading import load_table
from connectors.mapping.values import Expression, Node, compose_key, shown, to_micros

_KEYS = (
    *("from", "format", "encoding", "delimiter", "records", "sheet", "head_row", "columns"),
    *("key", "changed", "version", "read", "table", "partial", "snapshot", "most_deleted"),
    "optional",
)
_VERSIONS = ("precise", "date", "none")


def only(
    compiler: Compiler, node: Any, allowed: Sequence[str], required: Sequence[str] = ()
) -> None:
    """Refuse a YAML section that is no mapping, has other keys, or lacks a required one."""
    if not isinstance(node, dict):
        raise compiler.fail(f"expected keys ({', '.join(allowed)}), found {shown(node)}")
    problems = unknown_keys(compiler, node, allowed, ", ".join(allowed))
    problems += [compiler.problem(f"needs the key {key!r}") for key in required if key not in node]
    if problems:
        raise Fault(*problems)


def unknown_keys(
    compiler: Compiler, found: Collection[Any], allowed: Collection[str], known: str
) -> list[MappingProblem]:
    """All keys that are not allowed, as one problem or none; ``known`` says which are."""
    unknown = [key for key in found if key not in allowed]
    if not unknown:
        return []
    keys = "key" if len(unknown) == 1 else "keys"
    named = ", ".join(f"{key!r}{guessed(key, allowed)}" for key in unknown)
    problem = compiler.problem(f"unknown {keys} {named}; allowed: {known}")
    return [replace(problem, key=str(unknown[0]))]


def one_of(compiler: Compiler, found: Any, allowed: Sequence[str]) -> str:
    """The word itself, if it is one of ``allowed``."""
    if found not in allowed:
        hint = guessed(found, allowed)
        raise compiler.fail(f"found {shown(found)}{hint}; allowed: {', '.join(allowed)}")
    return str(found)


def key_of(compiler: Compiler, node: Any) -> KeyOf:
    """Compile a key: one expression or a list of them; a record with an empty part has none."""
    parts = compiler.expressions(node) if isinstance(node, list) else [compiler.expression(node)]
    if len(parts) == 1:
        return _single_key(parts[0])

    def composed(record: Node) -> str | None:
        values = [part(record) for part in parts]
        return None if any(value is None for value in values) else compose_key(values)

    return composed


def _single_key(part: Expression) -> KeyOf:
    def single(record: Node) -> str | None:
        value = part(record)
        return value if value is None or value.__class__ is str else compose_key([value])

    return single


def load_stream(compiler: Compiler, name: str, node: Any) -> Stream:
    """Compile one stream; whether it takes part in joins is known only later."""
    only(compiler, node, _KEYS, ("key",))
    version = one_of(compiler.at("version"), node.get("version", "none"), _VERSIONS)
    if (version == "none") == ("changed" in node):
        raise compiler.fail("'changed' names the field of 'version: precise' or 'version: date'")
    names_of(compiler.at("optional"), node.get("optional", []))
    defaults = compiler.defaults
    return Stream(
        name=name,
        pattern=None if node.get("from") is None else str(node["from"]),
        format=None
        if node.get("format") is None
        else one_of(compiler.at("format"), node["format"], FORMATS),
        encoding=encoding_named(compiler.at("encoding"), node.get("encoding", defaults.encoding)),
        delimiter=delimiter_named(
            compiler.at("delimiter"), node.get("delimiter", defaults.delimiter)
        ),
        key=key_of(compiler.at("key"), node["key"]),
        changed=_changed(compiler.at("changed"), node.get("changed"), version),
        precise=version == "precise",
        joined=False,
        records=records_named(compiler.at("records"), node.get("records")),
        sheet=sheet_named(compiler.at("sheet"), node.get("sheet")),
        head_row=row_numbered(compiler.at("head_row"), node.get("head_row")),
        columns=columns_named(compiler.at("columns"), node.get("columns")),
        read=load_read(compiler.at("read"), node.get("read")),
        table=load_table(compiler.at("table"), node.get("table")),
        partial=load_partial(compiler.at("partial"), node.get("partial"), version),
        most_deleted=most_deleted_of(compiler, node),
    )


def _changed(compiler: Compiler, node: Any, version: str) -> Callable[[Node], int | None]:
    if version == "none":
        return lambda record: None
    inner = compiler.expression(node)
    zone = compiler.defaults.zone

    def instant(record: Node) -> int | None:
        at = parse_instant(inner(record), zone)
        return None if at is None else to_micros(at)

    def first_moment(record: Node) -> int | None:
        # A day counts from midnight UTC: only its order matters, so no zone is applied.
        day = parse_day(inner(record), zone)
        return None if day is None else to_micros(datetime.combine(day, time.min, UTC))

    return instant if version == "precise" else first_moment
