"""Operators that hold one value against another."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.numbers import EXACT, parse_decimal
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]


@operator("check", options=("reason", "tolerance"), required=("equals",))
def check(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{check: total, equals: {sum: net, over: $item}, tolerance: 0.01}``: the total, if it fits.

    The record is refused where the two numbers differ by more than ``tolerance`` (0). Where one of
    them is empty there is nothing to hold it against.
    """
    inner = compiler.expression(argument)
    other = compiler.at("equals").expression(options["equals"])
    tolerance = _tolerance(compiler.at("tolerance"), options.get("tolerance", 0))
    reason = as_text(options.get("reason", "the numbers do not agree"))

    def checked(node: Node) -> Decimal | None:
        number, expected = parse_decimal(inner(node)), parse_decimal(other(node))
        if number is not None and expected is not None:
            difference = EXACT.subtract(number, expected)
            if abs(difference) > tolerance:
                found = f"{number} and {expected} differ by {difference}"
                raise Refusal("check", f"{reason}: {found}")
        return number

    return checked


def _tolerance(compiler: Compiler, value: Any) -> Decimal:
    try:
        tolerance = parse_decimal(as_text(value))
    except Refusal:
        tolerance = None
    if tolerance is None or tolerance < 0:
        raise compiler.fail(f"expected a number from 0, found {shown(value)}")
    return tolerance
