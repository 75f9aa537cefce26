"""Turns an expression of the mapping language into a function of a record, once, at load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.mapping.paths import Step, found_at, is_path, parse_path, text_of
from connectors.mapping.problems import Fault, MappingProblem, guessed
from connectors.mapping.registry import OPERATORS
from connectors.mapping.values import Expression, Node, Refusal, shown

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Defaults:
    """What holds in the whole mapping unless a stream or an operator says otherwise."""

    empty: frozenset[str] = frozenset({""})
    zone: ZoneInfo = UTC_ZONE
    encoding: str | None = None
    delimiter: str | None = None
    currency: str | None = None


@dataclass
class View:
    """What an expression may look at: the joins of a record, then those of its parent.

    ``aliases`` names each join and the view that its records have; ``many`` are those that find
    a list. ``columns`` takes in the columns of the record that are asked for.
    """

    parent: View | None = None
    aliases: dict[str, View] = field(default_factory=dict)
    many: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Compiler:
    """Compiles expressions at one place of one mapping; ``path`` is that place in the YAML."""

    source: str
    defaults: Defaults
    view: View
    path: str = ""

    def at(self, step: str | int) -> Compiler:
        """This compiler, one step deeper in the YAML."""
        if isinstance(step, int):
            return replace(self, path=f"{self.path}[{step}]")
        return replace(self, path=f"{self.path}.{step}" if self.path else step)

    def looking(self, view: View) -> Compiler:
        """This compiler for expressions on another record."""
        return replace(self, view=view)

    def fail(self, message: str) -> Fault:
        """An error at this place, to be raised."""
        return Fault(self.problem(message))

    def problem(self, message: str) -> MappingProblem:
        """Something wrong at this place."""
        return MappingProblem(self.path, message)

    def expression(self, node: Any) -> Expression:
        """Compile ``node``: a text is a path, a mapping is an operator."""
        if isinstance(node, str):
            return self._path(node)
        if isinstance(node, dict):
            return self._operator(node)
        if node is None or isinstance(node, bool | int | float):
            return self.literal(node)
        raise self.fail(f"expected a field or an operator, found {shown(node)}")

    def expressions(self, nodes: Any) -> list[Expression]:
        """Compile a list of expressions."""
        if not isinstance(nodes, list) or not nodes:
            raise self.fail(f"expected a list, found {shown(nodes)}")
        return [self.at(index).expression(node) for index, node in enumerate(nodes)]

    def value(self, node: Any) -> Expression:
        """Compile ``node`` where a text stands for itself; ``$…`` is still a path."""
        if isinstance(node, dict) or (isinstance(node, str) and node.startswith("$")):
            return self.expression(node)
        return self.literal(node)

    def literal(self, node: Any) -> Expression:
        """A constant; a number with a fraction becomes the decimal that is written."""
        if isinstance(node, dict | list):
            raise self.fail(f"expected a single value, found {shown(node)}")
        constant = Decimal(str(node)) if isinstance(node, float) else node
        return lambda _: constant

    def find(self, alias: str) -> tuple[int, View]:
        """How many parents up the join ``alias`` hangs, and the view that holds it."""
        view: View | None = self.view
        up = 0
        while view is not None:
            if alias in view.aliases:
                return up, view
            view, up = view.parent, up + 1
        raise self.fail(f"there is no join named {alias!r} here")

    def alias(self, text: Any) -> str:
        """The join that ``over:`` and ``exists:`` name, with or without its ``$``."""
        if not isinstance(text, str) or not text.strip("$"):
            raise self.fail(f"expected the name of a join such as $item, found {shown(text)}")
        return text.removeprefix("$")

    def _operator(self, node: Mapping[Any, Any]) -> Expression:
        names = [name for name in node if name in OPERATORS]
        if not names:
            found = ", ".join(map(str, node)) or "nothing"
            found += guessed(next(iter(node), ""), OPERATORS)
            raise self.fail(f"unknown operator {found}; known: {', '.join(sorted(OPERATORS))}")
        # The first one counts: an option may be called like another operator.
        name = names[0]
        operator = OPERATORS[name]
        options = {key: value for key, value in node.items() if key != name}
        for key in options:
            if key not in operator.options:
                allowed = ", ".join(sorted(operator.options)) or "none"
                hint = guessed(key, operator.options)
                raise self.at(name).fail(f"unknown option {key!r}{hint}; allowed: {allowed}")
        for key in operator.required:
            if key not in options:
                raise self.at(name).fail(f"needs the option {key!r}")
        return operator.compile(self.at(name), node[name], options)

    def _path(self, text: str) -> Expression:
        if text.startswith("$"):
            return self._joined_path(text[1:])
        if is_path(text):
            return self._pointer(text)
        return self.column(text)

    def column(self, name: str) -> Expression:
        """The field of that name of the record itself."""
        self.view.columns.add(name)
        empty = self.defaults.empty

        def column(node: Node) -> Any:
            value = node.row.get(name)
            if value.__class__ is str:
                return None if value in empty else value
            return text_of(value) if value.__class__ is dict else value

        return column

    def steps(self, text: str) -> tuple[Step, ...]:
        """The steps of a path into the record."""
        try:
            return parse_path(text)
        except ValueError as error:
            raise self.fail(str(error)) from error

    def _pointer(self, text: str) -> Expression:
        steps = self.steps(text)
        plain = [step.name for step in steps]
        direct = not any(step.predicates for step in steps)
        empty = self.defaults.empty

        def pointer(node: Node) -> Any:
            value: Any = node.row
            # Most records are objects within objects, which need no search.
            if direct:
                for name in plain:
                    if value.__class__ is not dict:
                        break
                    value = value.get(name)
                else:
                    if value.__class__ is str:
                        return None if value in empty else value
            found = found_at(steps, node.row)
            if len(found) > 1:
                reason = f"{text} has {len(found)} values: choose one by a predicate or position"
                raise Refusal("several_values", reason)
            value = text_of(found[0]) if found else None
            return None if value.__class__ is str and value in empty else value

        return pointer

    def _joined_path(self, text: str) -> Expression:
        alias, _, rest = text.partition(".")
        if not rest:
            raise self.fail(f"${alias} needs a field: ${alias}.field")
        if alias == "parent":
            if self.view.parent is None:
                raise self.fail("there is no parent here")
            inner = self.looking(self.view.parent).expression(rest)
            return lambda node: inner(node.parent) if node.parent is not None else None
        up, view = self.find(alias)
        if alias in view.many:
            raise self.fail(f"${alias} finds several records; use an aggregate over it")
        inner = self.looking(view.aliases[alias]).expression(rest)
        holder = climber(up)

        def joined(node: Node) -> Any:
            found = holder(node).joined.get(alias)
            return None if found is None else inner(found)

        return joined


def climber(up: int) -> Expression:
    """A function from a record to the one that many parents above it."""
    if up == 0:
        return lambda node: node

    def climb(node: Node) -> Any:
        found: Node | None = node
        for _ in range(up):
            found = found.parent if found is not None else None
        if found is None:
            raise Refusal("no_parent", "the record was joined to no other")
        return found

    return climb
