"""Operators on joined records: aggregates over several, references to other documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.elements import elements_of
from connectors.mapping.operators.numbers import EXACT, parse_decimal
from connectors.mapping.operators.tests import condition, parse_bool
from connectors.mapping.paths import is_path, values_at
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]
Aggregate = Callable[[Iterable[Any]], Any]


@operator("reference", options=("source",))
def reference(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{reference: soldToParty}``: names a document of this source, or of ``source``."""
    inner = compiler.expression(argument)
    source = str(options.get("source", compiler.source))

    def named(node: Node) -> dict[str, str] | None:
        value = inner(node)
        return None if value is None else {"source": source, "id": as_text(value)}

    return named


@operator("list")
def collected(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{list: [a, b]}``: the values that are not empty."""
    parts = compiler.expressions(argument)
    return lambda node: [value for part in parts if (value := part(node)) is not None]


@operator("position")
def position(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{position: 1}``: the place of an object in its list, where the first has 1 (or 0)."""
    if argument.__class__ is not int or argument not in (0, 1):
        raise compiler.fail(f"the first has the position 1 or 0, found {shown(argument)}")
    if compiler.view.parent is None:
        raise compiler.fail("only an object of a list ('each') has a position")
    return lambda node: node.position - 1 + argument


@operator("values")
def values(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{values: /contacts/phone}``: all values at the end of a path, as a list."""
    if not isinstance(argument, str) or not is_path(argument):
        raise compiler.fail(f"expected a path such as /contacts/phone, found {shown(argument)}")
    steps = compiler.steps(argument)
    empty = compiler.defaults.empty

    def found(node: Node) -> list[Any]:
        several = values_at(steps, node.row)
        return [
            one
            for one in several
            if one is not None and (one.__class__ is not str or one not in empty)
        ]

    return found


def _selected(
    compiler: Compiler, options: Options
) -> tuple[Compiler, Callable[[Node], list[Node]]]:
    """The compiler for the records of ``over``, and a function that gives those that count."""
    over = options["over"]
    if not isinstance(over, str) or not is_path(over.removeprefix("$parent.")):
        over = f"${compiler.at('over').alias(over)}"
    view, found = elements_of(compiler.at("over"), over)
    inner = compiler.looking(view)
    if "where" not in options:
        return inner, found
    test = condition(inner.at("where"), options["where"])
    return inner, lambda node: [record for record in found(node) if test(record)]


def _aggregate(combine: Aggregate) -> Callable[[Compiler, Any, Options], Expression]:
    def compile_aggregate(compiler: Compiler, argument: Any, options: Options) -> Expression:
        inner, records = _selected(compiler, options)
        of_one = inner.expression(argument)
        return lambda node: combine(
            value for record in records(node) if (value := of_one(record)) is not None
        )

    return compile_aggregate


def _sum(values: Iterable[Any]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, parse_decimal(value) or Decimal(0))
    return total


def _extreme(choose: Callable[[list[Any]], Any]) -> Aggregate:
    def chosen(values: Iterable[Any]) -> Any:
        several = list(values)
        try:
            return choose(several) if several else None
        except TypeError as error:
            pair = ", ".join(shown(value) for value in several[:2])
            raise Refusal("not_comparable", f"{pair} cannot be compared") from error

    return chosen


operator("sum", options=("where",), required=("over",))(_aggregate(_sum))
operator("max", options=("where",), required=("over",))(_aggregate(_extreme(max)))
operator("min", options=("where",), required=("over",))(_aggregate(_extreme(min)))
operator("first", options=("where",), required=("over",))(
    _aggregate(lambda values: next(iter(values), None))
)
operator("last", options=("where",), required=("over",))(
    _aggregate(lambda values: next(reversed(list(values)), None))
)


@operator("count", options=("where",))
def count(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{count: $item, where: test}``: how many records were joined."""
    _, records = _selected(compiler, {**options, "over": argument})
    return lambda node: len(records(node))


@operator("all", options=("where",), required=("over",))
def every(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{all: test, over: $item}``: there is one, and the test holds for each."""
    inner, records = _selected(compiler, options)
    test = inner.expression(argument)

    def holds(node: Node) -> bool:
        several = records(node)
        return bool(several) and all(parse_bool(test(record)) for record in several)

    return holds


@operator("any", options=("where",), required=("over",))
def some(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{any: test, over: $item}``: the test holds for at least one."""
    inner, records = _selected(compiler, options)
    test = inner.expression(argument)
    return lambda node: any(parse_bool(test(record)) for record in records(node))


@operator("record")
def record(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{record: {code: terms, days: {const: 30}}}``: a record; empty if all of it is."""
    if not isinstance(argument, dict) or not argument:
        raise compiler.fail(f"expected {{name: field}}, found {shown(argument)}")
    parts = {str(name): compiler.at(str(name)).expression(node) for name, node in argument.items()}

    def composed(node: Node) -> dict[str, Any] | None:
        values = {name: part(node) for name, part in parts.items()}
        return values if any(value is not None for value in values.values()) else None

    return composed
