"""Lays a site's own mapping over the one that it extends; pure, on the YAML as it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import yaml

from connectors.mapping.registry import OPERATORS
from connectors.mapping.yaml_text import Written

_NULL = "tag:yaml.org,2002:null"
#: Operators whose argument is a table, so that an overlay may change single entries of it.
_TABLES = ("map", "record")
#: Expressions, which are exchanged whole.
_WHOLE = ("key", "when", "where", "changed", "order_by", "each")

Merge = Callable[[yaml.Node, yaml.Node], yaml.Node]


def overlaid(base: Written, over: Written) -> Written:
    """``over`` laid over ``base``: keys are exchanged or added, ``null`` takes a key away.

    Events find each other by their ``name`` (else ``emit``); one whose ``emit`` is null is taken
    away. A field's expression is exchanged whole, unless both use the same operator: then its
    options are exchanged one by one. Tests are those of ``over`` alone.
    """
    kept = [(key, value) for key, value in base.node.value if key.value != "tests"]
    node = _merged(yaml.MappingNode(base.node.tag, kept, over.node.start_mark), over.node)
    assert isinstance(node, yaml.MappingNode)
    node.value = [(key, value) for key, value in node.value if key.value != "extends"]
    return replace(over, node=node, texts={**base.texts, **over.texts})


def extended_by(written: Written) -> str | None:
    """What the mapping extends: a shipped profile or a file."""
    for key, value in written.node.value:
        if key.value == "extends" and isinstance(value, yaml.ScalarNode):
            return str(value.value)
    return None


def _merged(base: yaml.Node, over: yaml.Node) -> yaml.Node:
    return _by_key(base, over, _section)


def _section(name: str) -> Merge:
    if name == "fields":
        return lambda base, over: _by_key(base, over, lambda _: _expression)
    if name == "events":
        return _events
    if name in _WHOLE:
        return lambda base, over: over
    return _merged


def _by_key(base: yaml.Node, over: yaml.Node, merge_of: Callable[[str], Merge]) -> yaml.Node:
    if not isinstance(base, yaml.MappingNode) or not isinstance(over, yaml.MappingNode):
        return over
    pairs = {key.value: (key, value) for key, value in base.value}
    for key, value in over.value:
        if value.tag == _NULL:
            pairs.pop(key.value, None)
        elif key.value in pairs:
            pairs[key.value] = (key, merge_of(key.value)(pairs[key.value][1], value))
        else:
            pairs[key.value] = (key, value)
    return yaml.MappingNode(base.tag, list(pairs.values()), over.start_mark, over.end_mark)


def _expression(base: yaml.Node, over: yaml.Node) -> yaml.Node:
    operator = _operator(base)
    if operator is None or operator != _operator(over):
        return over
    return _by_key(
        base, over, lambda name: _table if name == operator and name in _TABLES else _whole
    )


def _table(base: yaml.Node, over: yaml.Node) -> yaml.Node:
    return _by_key(base, over, lambda _: _expression)


def _whole(base: yaml.Node, over: yaml.Node) -> yaml.Node:
    return over


def _operator(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((str(key.value) for key, _ in node.value if key.value in OPERATORS), None)


def _events(base: yaml.Node, over: yaml.Node) -> yaml.Node:
    if not isinstance(base, yaml.SequenceNode) or not isinstance(over, yaml.SequenceNode):
        return over
    events = {_name(event) or f"[{place}]": event for place, event in enumerate(base.value)}
    for place, event in enumerate(over.value):
        name = _name(event) or f"[new {place}]"
        if _is_taken_away(event):
            events.pop(name, None)
        elif name in events:
            events[name] = _merged(events[name], event)
        else:
            events[name] = event
    return yaml.SequenceNode(base.tag, list(events.values()), over.start_mark, over.end_mark)


def _name(event: yaml.Node) -> str | None:
    if not isinstance(event, yaml.MappingNode):
        return None
    said = {str(key.value): str(value.value) for key, value in event.value}
    return said.get("name") or said.get("emit") or None


def _is_taken_away(event: yaml.Node) -> bool:
    return isinstance(event, yaml.MappingNode) and any(
        key.value == "emit" and value.tag == _NULL for key, value in event.value
    )
