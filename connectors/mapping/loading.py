"""Loads a mapping file or a shipped profile for one source, or says everything that is wrong."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping import operators
from connectors.mapping.compiler import UTC_ZONE, Compiler, Defaults, View
from connectors.mapping.event_loading import EventLoader
from connectors.mapping.file_loading import delimiter_named, encoding_named, needed_in
from connectors.mapping.model import SourceMapping
from connectors.mapping.operators.times import zone_named
from connectors.mapping.overlays import extended_by, overlaid
from connectors.mapping.problems import (
    Fault,
    MappingError,
    MappingProblem,
    collected,
    guessed,
)
from connectors.mapping.stream_loading import load_stream, only
from connectors.mapping.values import shown
from connectors.mapping.yaml_text import Written, compose, read_yaml_file

PROFILES = Path(__file__).parents[1] / "profiles"

_KEYS = ("profile", "extends", "source", "defaults", "streams", "events", "tests")
_DEFAULTS = ("empty", "tz", "encoding", "delimiter", "currency")

# Importing the operators registers them.
assert operators.__all__


def load_mapping(name: str, source: str, zone: ZoneInfo | None = None) -> SourceMapping:
    """Load the mapping ``name`` for the source called ``source`` in the configuration.

    Args:
        name: a shipped profile (``northwind``), or the path of a file.
        source: what documents give as their ``source``, unless the mapping sets it.
        zone: the company's time zone, where the mapping names none; UTC by default.

    Raises:
        MappingError: it is not there, or not valid; all problems with their paths in the YAML.
    """
    return compile_mapping(open_mapping(name), source, zone)


def open_mapping(name: str) -> Written:
    """The mapping ``name`` as it is written, laid over what it extends.

    Raises:
        MappingError: it, or what it extends, is not there or no YAML.
    """
    path = Path(name)
    if not name.endswith((".yaml", ".yml")) and "/" not in name:
        path = PROFILES / f"{name}.yaml"
        if not path.is_file():
            message = f"no shipped profile of this name{guessed(name, shipped())}; there are "
            raise MappingError(name, [MappingProblem("", message + ", ".join(shipped()))])
    written = replace(compose(read_yaml_file(path), name), folder=path.parent)
    return _with_base(written, (path.resolve(),))


def shipped() -> list[str]:
    """The names of the shipped profiles."""
    return sorted(each.stem for each in PROFILES.glob("*.yaml"))


def parse_mapping(
    text: str, source: str, origin: str = "(text)", zone: ZoneInfo | None = None
) -> SourceMapping:
    """Compile a mapping from its YAML text; see ``load_mapping``."""
    return compile_mapping(_with_base(compose(text, origin), (Path(origin),)), source, zone)


def _with_base(written: Written, seen: tuple[Path, ...]) -> Written:
    name = extended_by(written)
    if name is None:
        return written
    path = PROFILES / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        path = seen[-1].parent / name
    if path.resolve() in seen:
        raise _not_extended(written, f"{name} extends this file itself")
    if not path.is_file():
        known = ", ".join(shipped())
        hint = guessed(name, shipped())
        raise _not_extended(written, f"there is no {name}{hint}; a file *.yaml, or one of {known}")
    origin = str(Path(written.origin).parent / name) if path.parent != PROFILES else name
    base = _with_base(compose(read_yaml_file(path), origin), (*seen, path.resolve()))
    return overlaid(base, written)


def _not_extended(written: Written, message: str) -> MappingError:
    return MappingError(written.origin, [written.placed(MappingProblem("extends", message))])


def compile_mapping(written: Written, source: str, zone: ZoneInfo | None = None) -> SourceMapping:
    """Compile a mapping for the source called ``source``; see ``load_mapping``."""
    left_open = written.left_to_do()
    mapping, problems = None, []
    try:
        mapping = _compiled(written, source, zone)
    except MappingError as error:
        spots = {problem.spot for problem in left_open}
        # What is wrong with a place that is still open is not said beside.
        problems = [one for one in map(written.placed, error.problems) if one.spot not in spots]
    if mapping is None or left_open:
        raise MappingError(written.origin, sorted([*left_open, *problems], key=_in_order))
    return mapping


def _in_order(problem: MappingProblem) -> tuple[str, int]:
    spot = problem.spot
    return ("", 0) if spot is None else (spot.file, spot.line)


def _compiled(written: Written, source: str, zone: ZoneInfo | None) -> SourceMapping:
    document, origin = written.document(), written.origin
    problems: list[MappingProblem] = []
    try:
        only(Compiler(source, Defaults(), View()), document, _KEYS, ("streams", "events"))
        source = str(document.get("source", source))
        defaults = _defaults(source, document.get("defaults") or {}, zone or UTC_ZONE)
        compiler = Compiler(source, defaults, View())
        for section, kind in (("streams", dict), ("events", list)):
            if not isinstance(document[section], kind) or not document[section]:
                message = f"expected a {kind.__name__}, found {shown(document[section])}"
                raise compiler.at(section).fail(message)
    except Fault as fault:
        raise MappingError(origin, fault.problems) from fault

    streams = {}
    columns: dict[str, set[str]] = {str(name): set() for name in document["streams"]}
    for name, node in document["streams"].items():
        with collected(problems):
            own = compiler.at(f"streams.{name}").looking(View(columns=columns[str(name)]))
            streams[str(name)] = load_stream(own, str(name), node)
    # By their names only, so that what is wrong with a stream does not hide what is wrong here.
    loader = EventLoader(compiler, columns, document["events"])
    events = loader.load(problems)
    if problems:
        raise MappingError(origin, problems)
    joined = {edge.parent for edge in loader.edges.values()}
    joined |= {edge.child for edge in loader.edges.values()}
    return SourceMapping(
        origin=origin,
        profile=str(document.get("profile", Path(origin).stem)),
        digest=hashlib.sha256("\0".join(written.texts.values()).encode()).hexdigest(),
        source=source,
        zone=defaults.zone,
        streams={
            name: replace(
                stream,
                joined=name in joined or stream.compared or stream.partial is not None,
                needed=needed_in(document["streams"][name], columns[name]),
            )
            for name, stream in streams.items()
        },
        edges=loader.edges,
        events=tuple(events),
    )


def _defaults(source: str, node: Any, zone: ZoneInfo) -> Defaults:
    compiler = Compiler(source, Defaults(), View(), "defaults")
    only(compiler, node, _DEFAULTS)
    empty = node.get("empty", [""])
    if not isinstance(empty, list):
        raise compiler.at("empty").fail(f"expected a list of texts, found {shown(empty)}")
    currency = node.get("currency")
    return Defaults(
        empty=frozenset(str(text) for text in empty if text is not None),
        zone=zone_named(compiler.at("tz"), node["tz"]) if "tz" in node else zone,
        encoding=encoding_named(compiler.at("encoding"), node.get("encoding")),
        delimiter=delimiter_named(compiler.at("delimiter"), node.get("delimiter")),
        currency=None if currency is None else str(currency),
    )
