"""Compiles the events of a mapping: joins first, then the fields that look at them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from connectors.mapping.compiler import Compiler, View
from connectors.mapping.contract import (
    FILLED,
    HEADER,
    FieldType,
    coercion,
    contract_of,
    document_types,
    in_words,
)
from connectors.mapping.elements import Elements, elements_of
from connectors.mapping.join_loading import JoinLoader
from connectors.mapping.model import Assignment, Edge, Entries, Event, Join
from connectors.mapping.operators.tests import condition
from connectors.mapping.problems import Fault, MappingProblem, collected
from connectors.mapping.stream_loading import key_of, one_of, only, unknown_keys
from connectors.mapping.values import Expression, Node, Refusal, shown

_KEYS = ("emit", "name", "from", "key", "each", "group", "when", "lookup", "fields", "lists")
_LIST_KEYS = ("join", "each", "lookup", "order_by", "when", "fields", "as")


class EventLoader:
    """Compiles all events; ``edges`` then holds every join between streams that they use.

    Args:
        compiler: of the whole mapping.
        streams: take in by their names the columns that are asked of their records.
        nodes: the events as they are written.
    """

    def __init__(
        self, compiler: Compiler, streams: Mapping[str, set[str]], nodes: list[Any]
    ) -> None:
        self.compiler = compiler
        self.streams = streams
        self.nodes = nodes
        self.edges: dict[str, Edge] = {}

    def load(self, problems: list[MappingProblem]) -> list[Event]:
        """All events; what is wrong with one of them is added to ``problems``."""
        documents = [node.get("emit") for node in self.nodes if isinstance(node, dict)]
        events: list[Event] = []
        for index, node in enumerate(self.nodes):
            with collected(problems):
                alone = isinstance(node, dict) and documents.count(node.get("emit")) == 1
                event = self._event(self.compiler.at(f"events[{index}]"), node, alone)
                if event.name in {other.name for other in events}:
                    message = f"a second event {event.name!r}: give it a 'name' of its own"
                    raise self.compiler.at(f"events[{index}]").fail(message)
                events.append(event)
        return events

    def _event(self, compiler: Compiler, node: Any, alone: bool) -> Event:
        if not isinstance(node, dict):
            raise compiler.fail("expected keys such as emit: and from:")
        types = document_types()
        document = one_of(compiler.at("emit"), node.get("emit"), types)
        contract = contract_of(document)
        lists = sorted(name for name, wanted in contract.items() if _is_list(wanted))
        problems: list[MappingProblem] = []
        with collected(problems):
            only(compiler, node, (*_KEYS, *lists), ("emit", "from", "key"))
        fields = _section(compiler.at("fields"), node.get("fields"))
        currency = compiler.defaults.currency
        if currency is not None and "currency" in contract and "currency" not in fields:
            fields["currency"] = {"const": currency}
        bodies = _section(compiler.at("lists"), node.get("lists"))
        bodies |= {key: node[key] for key in lists if key in node}
        plain = {
            name: wanted
            for name, wanted in contract.items()
            if name not in HEADER and name not in lists
        }
        # What the engine fills may be left out.
        for each in FILLED & plain.keys():
            plain[each] = replace(plain[each], optional=True)
        name = str(node.get("name", document))
        problems += _misnamed(compiler.at("fields"), fields, plain, f"the event {name!r}", lists)
        for key, body in bodies.items():
            problems += _misnamed_entries(compiler.at(key), key, body, contract, name)
        if "from" not in node or "key" not in node:
            raise Fault(*problems)
        # What has a wrong name was said above; the rest is compiled to hear of its faults too.
        bodies = {key: body for key, body in bodies.items() if key in lists}
        event: Event | None = None
        with collected(problems):
            event = self._compiled(compiler, node, name, document, alone, fields, plain, bodies)
        if problems or event is None:
            raise Fault(*problems)
        return event

    def _compiled(
        self,
        compiler: Compiler,
        node: dict[str, Any],
        name: str,
        document: str,
        alone: bool,
        fields: dict[str, Any],
        plain: Mapping[str, FieldType],
        bodies: dict[str, Any],
    ) -> Event:
        contract = contract_of(document)
        stream = one_of(compiler.at("from"), node["from"], sorted(self.streams))
        view = View(columns=self.streams[stream])
        compiler = compiler.looking(view)
        joining = JoinLoader(self.streams, self.edges)
        group = joining.group(compiler.at("group"), stream, node.get("group"))
        joins = joining.lookups(compiler.at("lookup"), stream, node.get("lookup"))
        within = None
        if "each" in node:
            inner_view, within = elements_of(compiler.at("each"), node["each"])
            compiler = compiler.looking(inner_view)
            joined = [repr(key) for key, body in bodies.items() if _joins(body)]
            if joined:
                raise compiler.fail(f"'each' stands without the 'join' of {', '.join(joined)}")
        loaded = {
            key: self._list_join(compiler.at(key), joining, stream, body, joins)
            for key, body in bodies.items()
        }
        joins += [join for join, _, _ in loaded.values() if join is not None]
        problems: list[MappingProblem] = []
        assignments: tuple[Assignment, ...] = ()
        with collected(problems):
            assignments = _assignments(compiler.at("fields"), fields, plain)
        entries: list[Entries] = []
        for key, (join, found, inner) in loaded.items():
            with collected(problems):
                place = compiler.at(key).looking(inner)
                entries.append(_entries(place, key, contract[key], join, found, bodies[key]))
        if problems:
            raise Fault(*problems)
        return Event(
            name=name,
            document=document,
            stream=stream,
            key=key_of(compiler.at("key"), node["key"]),
            when=condition(compiler.at("when"), node["when"]) if "when" in node else None,
            joins=tuple(joins),
            assignments=assignments,
            lists=tuple(entries),
            timed="occurred_at" in fields,
            alone=alone,
            within=within,
            group=group,
        )

    def _list_join(
        self, compiler: Compiler, joining: JoinLoader, stream: str, body: Any, above: list[Join]
    ) -> tuple[Join | None, Elements | None, View]:
        """What the entries of a list come from, and the view that its fields have."""
        only(compiler, body, _LIST_KEYS, ("fields",))
        if "each" in body:
            joining_too = [repr(key) for key in ("join", "lookup", "order_by", "as") if key in body]
            if joining_too:
                raise compiler.fail(f"'each' stands without {', '.join(joining_too)}")
            view, found = elements_of(compiler.at("each"), body["each"])
            return None, found, view
        if "join" not in body:
            return None, None, compiler.view
        join = joining.list_join(compiler, stream, body, above)
        return join, None, compiler.view.aliases[join.alias]


def _entries(
    compiler: Compiler,
    name: str,
    wanted: FieldType,
    join: Join | None,
    within: Elements | None,
    body: dict[str, Any],
) -> Entries:
    return Entries(
        name=name,
        over=None if join is None else join.alias,
        within=within,
        when=condition(compiler.at("when"), body["when"]) if "when" in body else None,
        assignments=_assignments(compiler.at("fields"), body["fields"], wanted.fields),
    )


def _joins(body: Any) -> bool:
    return isinstance(body, dict) and "join" in body


def _is_list(wanted: FieldType) -> bool:
    return wanted.many and wanted.kind == "record" and not wanted.is_reference


def _section(compiler: Compiler, node: Any) -> dict[Any, Any]:
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise compiler.fail(f"expected {{field: expression}}, found {shown(node)}")
    return dict(node)


def _misnamed(
    compiler: Compiler,
    fields: Mapping[Any, Any],
    allowed: Mapping[str, FieldType],
    whose: str,
    lists: Collection[str] = (),
) -> list[MappingProblem]:
    """The fields that the contract does not know, and those that it needs and does not get."""
    known = ", ".join(sorted(allowed))
    if lists:
        known += f"; beside 'fields', each with its own: {', '.join(lists)}"
    problems = unknown_keys(compiler, fields, allowed, known)
    for name, wanted in allowed.items():
        if not wanted.optional and fields.get(name) in (None, {"const": None}):
            message = f"{whose} needs this field: {in_words(name, wanted)}"
            problems.append(compiler.at(name).problem(message))
    return problems


def _misnamed_entries(
    compiler: Compiler, name: str, body: Any, contract: Mapping[str, FieldType], event: str
) -> list[MappingProblem]:
    if name not in contract or not _is_list(contract[name]):
        return [compiler.problem(f"{name!r} is no list of this document")]
    if not isinstance(body, dict) or not isinstance(body.get("fields"), dict):
        return []
    whose = f"an entry of {name!r} of the event {event!r}"
    return _misnamed(compiler.at("fields"), body["fields"], contract[name].fields, whose)


def _assignments(
    compiler: Compiler, fields: Any, allowed: Mapping[str, FieldType]
) -> tuple[Assignment, ...]:
    problems: list[MappingProblem] = []
    assignments: list[Assignment] = []
    for name, node in _section(compiler, fields).items():
        if name not in allowed:
            continue
        with collected(problems):
            place = compiler.at(name)
            assignments.append((name, _converted(name, place, node, allowed[name])))
    if problems:
        raise Fault(*problems)
    return tuple(assignments)


def _converted(name: str, compiler: Compiler, node: Any, wanted: FieldType) -> Expression:
    inner = compiler.expression(node)
    if wanted.fields and isinstance(node, dict) and isinstance(node.get("record"), dict):
        whose = f"the record {name!r}"
        problems = _misnamed(compiler.at("record"), node["record"], wanted.fields, whose)
        if problems:
            raise Fault(*problems)
    convert = coercion(wanted, compiler.defaults.zone)

    def assigned(record: Node) -> Any:
        try:
            return convert(inner(record))
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{name}: {refusal.reason}") from refusal

    return assigned
