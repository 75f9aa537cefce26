"""Compiles the streams of a mapping: files, key and change time."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, time
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.model import KeyOf, Stream
from connectors.mapping.operators.times import parse_day, parse_instant
from connectors.mapping.problems import Fault, MappingProblem
from connectors.mapping.values import Expression, Node, compose_key, shown, to_micros

_KEYS = ("from", "format", "encoding", "delimiter", "key", "changed", "version")
_VERSIONS = ("precise", "date", "none")
_FORMATS = ("csv", "jsonl")


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
    unknown = [repr(key) for key in found if key not in allowed]
    if not unknown:
        return []
    keys = "key" if len(unknown) == 1 else "keys"
    return [compiler.problem(f"unknown {keys} {', '.join(unknown)}; allowed: {known}")]


def one_of(compiler: Compiler, found: Any, allowed: Sequence[str]) -> str:
    """The word itself, if it is one of ``allowed``."""
    if found not in allowed:
        raise compiler.fail(f"found {shown(found)}; allowed: {', '.join(allowed)}")
    return str(found)


def encoding_named(compiler: Compiler, name: Any) -> str:
    """Python's name of an encoding in which line ends and quotes are single ASCII bytes."""
    try:
        found = codecs.lookup(str(name))
        plain = '\n"'.encode(found.name) == b'\n"'
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise compiler.fail(f"{shown(name)} cannot be read; allowed: utf-8, gb18030, cp1252 …")
    return found.name


def delimiter_named(compiler: Compiler, text: Any) -> str:
    """A column separator: one sign."""
    if not isinstance(text, str) or len(text) != 1 or text in '"\r\n':
        raise compiler.fail(f"expected one sign such as ';' or a tab, found {shown(text)}")
    return text


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
    defaults = compiler.defaults
    return Stream(
        name=name,
        pattern=None if node.get("from") is None else str(node["from"]),
        format=None
        if node.get("format") is None
        else one_of(compiler.at("format"), node["format"], _FORMATS),
        encoding=encoding_named(compiler.at("encoding"), node.get("encoding", defaults.encoding)),
        delimiter=delimiter_named(
            compiler.at("delimiter"), node.get("delimiter", defaults.delimiter)
        ),
        key=key_of(compiler.at("key"), node["key"]),
        changed=_changed(compiler.at("changed"), node.get("changed"), version),
        precise=version == "precise",
        joined=False,
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
