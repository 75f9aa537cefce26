"""Compiles joins: by which keys records of two streams find each other, over any number of hops."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from connectors.mapping.compiler import Compiler, View
from connectors.mapping.model import Edge, Join, KeyOf, Missing
from connectors.mapping.operators.tests import condition
from connectors.mapping.stream_loading import key_of, one_of, only
from connectors.mapping.values import shown

_LOOKUP_KEYS = ("in", "by", "on", "from", "many", "missing", "max", "where", "order_by")
_JOIN_OPTIONS = ("missing", "max", "where", "order_by")
_PERIOD = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


class JoinLoader:
    """Compiles the joins of one event; edges that several joins share are made once."""

    def __init__(self, streams: Collection[str], edges: dict[str, Edge]) -> None:
        self.streams = streams
        self.edges = edges

    def lookups(self, compiler: Compiler, stream: str, nodes: Any) -> list[Join]:
        """``lookup: {alias: {in: stream, by: […] | on: {…}, from: alias, …}}``."""
        if nodes is None:
            return []
        if not isinstance(nodes, dict):
            raise compiler.fail(f"expected alias: {{in, by}}, found {shown(nodes)}")
        joins: list[Join] = []
        at: dict[str, str] = {}
        for alias, node in nodes.items():
            place = compiler.at(str(alias))
            only(place, node, _LOOKUP_KEYS, ("in",))
            target = one_of(place.at("in"), node["in"], sorted(self.streams))
            origin = node.get("from")
            if origin is not None:
                origin = place.at("from").alias(origin)
                if origin not in at or origin in compiler.view.many:
                    raise place.at("from").fail(f"no lookup {origin!r} of a single record above")
            if ("by" in node) == ("on" in node):
                raise place.fail("needs either 'by' (the other's key) or 'on' (other: this)")
            parent = stream if origin is None else at[origin]
            edge = self._edge(place, parent, target, node.get("by"), node.get("on"))
            many = node.get("many", False)
            view = self._enter(place, str(alias), many is True)
            joins.append(self._join(place, str(alias), edge, origin, many is True, view, node, ()))
            at[str(alias)] = target
        return joins

    def list_join(self, compiler: Compiler, stream: str, body: dict[str, Any]) -> Join:
        """``join: {item: {billingDocument: billingDocument}, missing: hold}`` of a list."""
        node = body["join"]
        place = compiler.at("join")
        if not isinstance(node, dict):
            raise place.fail(f"expected {{stream: {{other: this}}}}, found {shown(node)}")
        targets = [key for key in node if key not in _JOIN_OPTIONS]
        if len(targets) != 1:
            raise place.fail("names exactly one stream: {stream: {its field: this field}}")
        target = one_of(place, targets[0], sorted(self.streams))
        edge = self._edge(place.at(target), stream, target, None, node[target])
        alias = str(body.get("as", target))
        view = self._enter(place, alias, True)
        inner = compiler.looking(view)
        joins = tuple(self.lookups(inner.at("lookup"), target, body.get("lookup")))
        options = {key: node[key] for key in _JOIN_OPTIONS if key in node}
        if "order_by" in body:
            options["order_by"] = body["order_by"]
        return self._join(compiler, alias, edge, None, True, view, options, joins)

    def _enter(self, compiler: Compiler, alias: str, many: bool) -> View:
        if alias == "parent" or alias in compiler.view.aliases:
            raise compiler.fail(f"the name {alias!r} is taken; choose another one")
        view = View(parent=compiler.view)
        compiler.view.aliases[alias] = view
        if many:
            compiler.view.many.add(alias)
        return view

    def _join(
        self,
        compiler: Compiler,
        alias: str,
        edge: Edge,
        origin: str | None,
        many: bool,
        view: View,
        node: dict[str, Any],
        joins: tuple[Join, ...],
    ) -> Join:
        inner = compiler.looking(view)
        order = node.get("order_by", [])
        order = order if isinstance(order, list) else [order]
        missing = "null" if node.get("missing") is None else node["missing"]
        return Join(
            alias=alias,
            edge=edge,
            origin=origin,
            many=many,
            missing=Missing(one_of(compiler.at("missing"), missing, list(Missing))),
            max_wait=_period(compiler.at("max"), node.get("max")),
            where=condition(inner.at("where"), node["where"]) if "where" in node else None,
            order_by=[inner.at("order_by").expression(each) for each in order],
            joins=joins,
        )

    def _edge(self, compiler: Compiler, parent: str, child: str, by: Any, on: Any) -> Edge:
        # Keys are worked out when a record arrives, so they see nothing but that record.
        alone = compiler.looking(View())
        if on is None:
            words: Any = ["key", by]
            parent_key: KeyOf = key_of(alone.at("by"), by)
            child_key = None
        else:
            if not isinstance(on, dict) or not on:
                raise compiler.fail(f"expected {{its field: this field}}, found {shown(on)}")
            words = [list(on), list(on.values())]
            parent_key = key_of(alone, list(on.values()))
            child_key = key_of(alone, list(on))
        text = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
        name = f"{parent} {child} {text}"
        return self.edges.setdefault(name, Edge(name, parent, child, parent_key, child_key))


def _period(compiler: Compiler, text: Any) -> timedelta | None:
    if text is None:
        return None
    found = _PERIOD.match(str(text))
    if found is None or not any(found.groups()):
        raise compiler.fail(f"expected a period such as PT24H or P2D, found {shown(text)}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
