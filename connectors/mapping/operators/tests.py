"""Operators that answer yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from connectors.mapping.compiler import Compiler, climber
from connectors.mapping.operators.numbers import parse_decimal
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]
_YES = frozenset({"true", "yes", "y", "x", "1", "t"})
_NO = frozenset({"", "false", "no", "n", "0", "f"})


def parse_bool(value: Any) -> bool:
    """A truth value; empty is no.

    Raises:
        Refusal: a text or number that means neither.
    """
    if value.__class__ is bool:
        return bool(value)
    if value is None:
        return False
    text = as_text(value).strip().lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise Refusal("not_a_truth_value", f"{shown(value)} is neither yes nor no")


def condition(compiler: Compiler, node: Any) -> Callable[[Node], bool]:
    """Compile an expression whose value is taken as a truth value."""
    inner = compiler.expression(node)
    return lambda record: parse_bool(inner(record))


@operator("bool")
def boolean(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{bool: a}``: true, yes, x and 1 are yes; empty, false, no and 0 are no."""
    return condition(compiler, argument)


@operator("not_empty")
def not_empty(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{not_empty: a}``: field a has a value."""
    inner = compiler.expression(argument)
    return lambda node: inner(node) is not None


@operator("empty")
def empty(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{empty: a}``: field a has no value."""
    inner = compiler.expression(argument)
    return lambda node: inner(node) is None


@operator("exists")
def exists(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{exists: $journal}``: the join found something."""
    alias = compiler.alias(argument)
    up, _ = compiler.find(alias)
    holder = climber(up)
    return lambda node: bool(holder(node).joined.get(alias))


@operator("not")
def negation(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{not: test}``."""
    inner = condition(compiler, argument)
    return lambda node: not inner(node)


def _conditions(compiler: Compiler, argument: Any) -> list[Callable[[Node], bool]]:
    if not isinstance(argument, list) or not argument:
        raise compiler.fail(f"expected a list of tests, found {shown(argument)}")
    return [condition(compiler.at(index), node) for index, node in enumerate(argument)]


@operator("and")
def conjunction(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{and: [test, test]}``."""
    tests = _conditions(compiler, argument)
    return lambda node: all(test(node) for test in tests)


@operator("or")
def disjunction(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{or: [test, test]}``."""
    tests = _conditions(compiler, argument)
    return lambda node: any(test(node) for test in tests)


def _pair(compiler: Compiler, argument: Any) -> tuple[Expression, Expression]:
    if not isinstance(argument, list) or len(argument) != 2:
        raise compiler.fail(f"expected [field, value], found {shown(argument)}")
    return compiler.at(0).expression(argument[0]), compiler.at(1).value(argument[1])


def _comparable(value: Any) -> Any:
    return value if value is None or isinstance(value, Decimal) else as_text(value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: as numbers where one is a decimal, else as they are written."""
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return parse_decimal(one) == parse_decimal(other)
    return bool(_comparable(one) == _comparable(other))


@operator("equals")
def equals(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{equals: [a, C]}``: field a is this value (texts are compared as they are written)."""
    left, right = _pair(compiler, argument)
    return lambda node: same(left(node), right(node))


@operator("in")
def one_of(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{in: [a, [F2, S1]]}``: field a is one of these values."""
    if (
        not isinstance(argument, list)
        or len(argument) != 2
        or not isinstance(argument[1], list)
        or any(isinstance(value, dict | list) for value in argument[1])
    ):
        raise compiler.fail(f"expected [field, [value, …]], found {shown(argument)}")
    inner = compiler.at(0).expression(argument[0])
    values = {None if value is None else as_text(value) for value in argument[1]}

    def among(node: Node) -> bool:
        value = inner(node)
        return (None if value is None else as_text(value)) in values

    return among


def compared(compare: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """Whether an order holds, of texts as numbers; no where one of the values is empty.

    Raises:
        Refusal: the values have no order.
    """
    if one is None or other is None:
        return False
    if isinstance(one, str | int | Decimal) and isinstance(other, str | int | Decimal):
        one, other = parse_decimal(one), parse_decimal(other)
    try:
        return compare(one, other)
    except TypeError as error:
        pair = f"{shown(one)} and {shown(other)}"
        raise Refusal("not_comparable", f"{pair} cannot be compared") from error


def _comparison(
    compare: Callable[[Any, Any], bool],
) -> Callable[[Compiler, Any, Options], Expression]:
    def compile_comparison(compiler: Compiler, argument: Any, options: Options) -> Expression:
        left, right = _pair(compiler, argument)
        return lambda node: compared(compare, left(node), right(node))

    return compile_comparison


operator("greater")(_comparison(gt))
operator("at_least")(_comparison(ge))
operator("less")(_comparison(lt))
operator("at_most")(_comparison(le))
