"""Compiles joins: by which keys records of two streams find each other, over any number of hops."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.mapping.compiler import Compiler, View
from connectors.mapping.model import Edge, Group, Join, KeyOf, Missing
from connectors.mapping.operators.tests import condition
from connectors.mapping.operators.times import parse_day
from connectors.mapping.stream_loading import key_of, one_of, only
from connectors.mapping.values import Expression, shown

_LOOKUP_KEYS = ("in", "by", "on", "from", "many", "missing", "max", "where", "order_by", "as_of")
_GROUP_KEYS = ("by", "order_by", "where", "until", "timeout", "snapshot")
#: The name by which an event finds the records of its group.
_GROUP = "group"
_JOIN_OPTIONS = ("from", "missing", "max", "where", "order_by")
_PERIOD = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


class JoinLoader:
    """Compiles the joins of one event; edges that several joins share are made once.

    ``streams`` take in by their names the columns that are asked of their records.
    """

    def __init__(self, streams: Mapping[str, set[str]], edges: dict[str, Edge]) -> None:
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
            view = self._enter(place, str(alias), target, many is True)
            join = self._join(place, str(alias), edge, origin, many is True, view, node, ())
            joins.append(_as_of(place.at("as_of"), view, join, node.get("as_of")))
            at[str(alias)] = target
        return joins

    def list_join(
        self, compiler: Compiler, stream: str, body: dict[str, Any], above: Sequence[Join]
    ) -> Join:
        """``join: {item: {billingDocument: billingDocument}, missing: hold}`` of a list.

        With ``from: $alias`` it hangs on that lookup of the document, one of ``above``.
        """
        node = body["join"]
        place = compiler.at("join")
        if not isinstance(node, dict):
            raise place.fail(f"expected {{stream: {{other: this}}}}, found {shown(node)}")
        targets = [key for key in node if key not in _JOIN_OPTIONS]
        if len(targets) != 1:
            raise place.fail("names exactly one stream: {stream: {its field: this field}}")
        target = one_of(place, targets[0], sorted(self.streams))
        origin = None
        if "from" in node:
            origin = place.at("from").alias(node["from"])
            single = {join.alias: join.edge.child for join in above if not join.many}
            if origin not in single:
                raise place.at("from").fail(f"no lookup {origin!r} of a single record above")
            stream = single[origin]
        edge = self._edge(place.at(target), stream, target, None, node[target])
        alias = str(body.get("as", target))
        view = self._enter(place, alias, target, True)
        inner = compiler.looking(view)
        joins = tuple(self.lookups(inner.at("lookup"), target, body.get("lookup")))
        options = {key: node[key] for key in _JOIN_OPTIONS if key in node and key != "from"}
        if "order_by" in body:
            options["order_by"] = body["order_by"]
        return self._join(compiler, alias, edge, origin, True, view, options, joins)

    def group(self, compiler: Compiler, stream: str, node: Any) -> Group | None:
        """``group: {by: […], order_by: field, until: test, timeout: PT4H}`` of an event."""
        if node is None:
            return None
        only(compiler, node, _GROUP_KEYS, ("by", "order_by"))
        by = node["by"] if isinstance(node["by"], list) else [node["by"]]
        text = json.dumps([_GROUP, by], ensure_ascii=False, separators=(",", ":"))
        name = f"{stream} {stream} {text}"
        key = key_of(self._alone(compiler.at("by"), stream), by)
        # Its records have no parent at which they were looked for.
        edge = self.edges.setdefault(name, Edge(name, "", stream, key, key))
        inner = compiler.looking(self._enter(compiler, _GROUP, stream, True))
        snapshot = node.get("snapshot", False)
        if not isinstance(snapshot, bool):
            raise compiler.at("snapshot").fail("allowed: true, false")
        return Group(
            edge=edge,
            order_by=_order(inner, node),
            where=condition(inner.at("where"), node["where"]) if "where" in node else None,
            until=condition(inner.at("until"), node["until"]) if "until" in node else None,
            timeout=_period(compiler.at("timeout"), node.get("timeout")),
            snapshot=snapshot,
        )

    def _enter(self, compiler: Compiler, alias: str, stream: str, many: bool) -> View:
        if alias == "parent" or alias in compiler.view.aliases:
            raise compiler.fail(f"the name {alias!r} is taken; choose another one")
        view = View(parent=compiler.view, columns=self.streams[stream])
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
        missing = "null" if node.get("missing") is None else node["missing"]
        return Join(
            alias=alias,
            edge=edge,
            origin=origin,
            many=many,
            missing=Missing(one_of(compiler.at("missing"), missing, list(Missing))),
            max_wait=_period(compiler.at("max"), node.get("max")),
            where=condition(inner.at("where"), node["where"]) if "where" in node else None,
            order_by=_order(inner, node),
            joins=joins,
        )

    def _alone(self, compiler: Compiler, stream: str) -> Compiler:
        """For keys, which are worked out when a record arrives: they see nothing but the record."""
        return compiler.looking(View(columns=self.streams[stream]))

    def _edge(self, compiler: Compiler, parent: str, child: str, by: Any, on: Any) -> Edge:
        above, below = self._alone(compiler, parent), self._alone(compiler, child)
        if on is None:
            words: Any = ["key", by]
            parent_key: KeyOf = key_of(above.at("by"), by)
            child_key = None
        else:
            if not isinstance(on, dict) or not on:
                raise compiler.fail(f"expected {{its field: this field}}, found {shown(on)}")
            words = [list(on), list(on.values())]
            parent_key = key_of(above, list(on.values()))
            child_key = key_of(below, list(on))
        text = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
        name = f"{parent} {child} {text}"
        return self.edges.setdefault(name, Edge(name, parent, child, parent_key, child_key))


def _order(compiler: Compiler, node: dict[str, Any]) -> list[Expression]:
    order = node.get("order_by", [])
    order = order if isinstance(order, list) else [order]
    return [compiler.at("order_by").expression(each) for each in order]


def _as_of(compiler: Compiler, view: View, join: Join, node: Any) -> Join:
    """``as_of: {valid_from: day}``: the newest record whose field is not behind this date."""
    if node is None:
        return join
    if not isinstance(node, dict) or len(node) != 1 or join.many:
        message = "expected {its field: this date} of a lookup of a single record"
        raise compiler.fail(f"{message}, found {shown(node)}")
    ((since, day),) = node.items()
    zone = compiler.defaults.zone

    def dated(expression: Expression) -> Expression:
        return lambda record: parse_day(expression(record), zone)

    valid_from = dated(compiler.looking(view).expression(since))
    return replace(join, as_of=(valid_from, dated(compiler.expression(day))))


def _period(compiler: Compiler, text: Any) -> timedelta | None:
    if text is None:
        return None
    found = _PERIOD.match(str(text))
    if found is None or not any(found.groups()):
        raise compiler.fail(f"expected a period such as PT24H or P2D, found {shown(text)}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
