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
from connectors.mapping.model import SourceMapping
from connectors.mapping.operators.times import zone_named
from connectors.mapping.problems import Fault, MappingError, MappingProblem, collected
from connectors.mapping.stream_loading import delimiter_named, encoding_named, load_stream, only
from connectors.mapping.values import shown
from connectors.mapping.yaml_text import read_yaml, read_yaml_file

PROFILES = Path(__file__).parents[1] / "profiles"

_KEYS = ("profile", "source", "defaults", "streams", "events", "tests")
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
    path = Path(name)
    if not name.endswith((".yaml", ".yml")) and "/" not in name:
        path = PROFILES / f"{name}.yaml"
        if not path.is_file():
            shipped = ", ".join(sorted(each.stem for each in PROFILES.glob("*.yaml")))
            message = f"no shipped profile of this name; there are {shipped}"
            raise MappingError(name, [MappingProblem("", message)])
    return parse_mapping(read_yaml_file(path), source, name, zone)


def parse_mapping(
    text: str, source: str, origin: str = "(text)", zone: ZoneInfo | None = None
) -> SourceMapping:
    """Compile a mapping from its YAML text; see ``load_mapping``."""
    document = read_yaml(text, origin)
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
    for name, node in document["streams"].items():
        with collected(problems):
            streams[str(name)] = load_stream(compiler.at(f"streams.{name}"), str(name), node)
    # By their names only, so that what is wrong with a stream does not hide what is wrong here.
    loader = EventLoader(compiler, [str(name) for name in document["streams"]], document["events"])
    events = loader.load(problems)
    if problems:
        raise MappingError(origin, problems)
    joined = {edge.parent for edge in loader.edges.values()}
    joined |= {edge.child for edge in loader.edges.values()}
    return SourceMapping(
        origin=origin,
        profile=str(document.get("profile", Path(origin).stem)),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        source=source,
        zone=defaults.zone,
        streams={name: replace(stream, joined=name in joined) for name, stream in streams.items()},
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
        encoding=encoding_named(compiler.at("encoding"), node.get("encoding", "utf-8")),
        delimiter=delimiter_named(compiler.at("delimiter"), node.get("delimiter", ",")),
        currency=None if currency is None else str(currency),
    )
