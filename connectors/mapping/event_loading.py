"""Compiles the events of a mapping: joins first, then the fields that look at them."""

from __future__ import annotations

from typing import Any

from connectors.mapping.compiler import Compiler, View
from connectors.mapping.contract import HEADER, FieldType, coercion, contract_of, document_types
from connectors.mapping.join_loading import JoinLoader
from connectors.mapping.model import Assignment, Edge, Entries, Event, Join, Stream
from connectors.mapping.operators.tests import condition
from connectors.mapping.problems import Fault, MappingProblem
from connectors.mapping.stream_loading import key_of, one_of, only
from connectors.mapping.values import Expression, Node, Refusal

_KEYS = ("emit", "name", "from", "key", "when", "lookup", "fields", "lists")
_LIST_KEYS = ("join", "lookup", "order_by", "when", "fields", "as")


class EventLoader:
    """Compiles all events; ``edges`` then holds every join between streams that they use."""

    def __init__(self, compiler: Compiler, streams: dict[str, Stream], nodes: list[Any]) -> None:
        self.compiler = compiler
        self.streams = streams
        self.nodes = nodes
        self.edges: dict[str, Edge] = {}

    def load(self, problems: list[MappingProblem]) -> list[Event]:
        """All events; what is wrong with one of them is added to ``problems``."""
        documents = [node.get("emit") for node in self.nodes if isinstance(node, dict)]
        events: list[Event] = []
        for index, node in enumerate(self.nodes):
            try:
                alone = isinstance(node, dict) and documents.count(node.get("emit")) == 1
                event = self._event(self.compiler.at(f"events[{index}]"), node, alone)
                if event.name in {other.name for other in events}:
                    message = f"a second event {event.name!r}: give it a 'name' of its own"
                    raise Fault(f"events[{index}]", message)
                events.append(event)
            except Fault as fault:
                problems.append(fault.problem)
        return events

    def _event(self, compiler: Compiler, node: Any, alone: bool) -> Event:
        if not isinstance(node, dict):
            raise compiler.fail("expected keys such as emit: and from:")
        types = document_types()
        document = one_of(compiler.at("emit"), node.get("emit"), types)
        contract = contract_of(document)
        lists = {name for name, wanted in contract.items() if _is_list(wanted)}
        only(compiler, node, (*_KEYS, *sorted(lists)), ("emit", "from", "key"))
        stream = one_of(compiler.at("from"), node["from"], sorted(self.streams))
        view = View()
        compiler = compiler.looking(view)
        joining = JoinLoader(self.streams, self.edges)
        joins = joining.lookups(compiler.at("lookup"), stream, node.get("lookup"))
        bodies = {**(node.get("lists") or {}), **{key: node[key] for key in lists if key in node}}
        loaded = {
            name: self._list_join(compiler.at(name), joining, stream, body)
            for name, body in bodies.items()
        }
        joins += [join for join, _ in loaded.values() if join is not None]
        fields = dict(node.get("fields") or {})
        currency = compiler.defaults.currency
        if currency is not None and "currency" in contract and "currency" not in fields:
            fields["currency"] = {"const": currency}
        plain = {
            name: wanted
            for name, wanted in contract.items()
            if name not in HEADER and name not in lists
        }
        return Event(
            name=str(node.get("name", document)),
            document=document,
            stream=stream,
            key=key_of(compiler.at("key"), node["key"]),
            when=condition(compiler.at("when"), node["when"]) if "when" in node else None,
            joins=tuple(joins),
            assignments=_assignments(compiler.at("fields"), fields, plain),
            lists=tuple(
                self._entries(compiler.at(name), name, contract, join, inner, bodies[name])
                for name, (join, inner) in loaded.items()
            ),
            timed="occurred_at" in fields,
            alone=alone,
        )

    def _list_join(
        self, compiler: Compiler, joining: JoinLoader, stream: str, body: Any
    ) -> tuple[Join | None, View]:
        only(compiler, body, _LIST_KEYS, ("fields",))
        if "join" not in body:
            return None, compiler.view
        join = joining.list_join(compiler, stream, body)
        return join, compiler.view.aliases[join.alias]

    def _entries(
        self,
        compiler: Compiler,
        name: str,
        contract: Any,
        join: Join | None,
        view: View,
        body: dict[str, Any],
    ) -> Entries:
        if name not in contract or not _is_list(contract[name]):
            raise compiler.fail(f"{name!r} is no list of this document")
        inner = compiler.looking(view)
        return Entries(
            name=name,
            over=None if join is None else join.alias,
            when=condition(inner.at("when"), body["when"]) if "when" in body else None,
            assignments=_assignments(inner.at("fields"), body["fields"], contract[name].fields),
        )


def _is_list(wanted: FieldType) -> bool:
    return wanted.many and wanted.kind == "record" and set(wanted.fields) != {"source", "id"}


def _assignments(
    compiler: Compiler, fields: Any, allowed: dict[str, FieldType]
) -> tuple[Assignment, ...]:
    only(compiler, fields, sorted(allowed))
    return tuple(
        (name, _converted(name, compiler.at(name), node, allowed[name]))
        for name, node in fields.items()
    )


def _converted(name: str, compiler: Compiler, node: Any, wanted: FieldType) -> Expression:
    inner = compiler.expression(node)
    convert = coercion(wanted, compiler.defaults.zone)

    def assigned(record: Node) -> Any:
        try:
            return convert(inner(record))
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{name}: {refusal.reason}") from refusal

    return assigned
