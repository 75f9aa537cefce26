"""The operator ``expression``: a formula over the fields of a record."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.numbers import parse_decimal, rounded, step_of
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, shown

Options = Mapping[str, Any]


@operator("expression", options=("places", "with"))
def expression(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{expression: "qty * price * (1 - discount / 100)", places: 2}``: a formula.

    A name is a field of the record, or one of ``with``: ``{with: {qty: {decimal: Qty}}}``.
    ``places`` rounds the result half up; a quotient that may never end needs it.
    """
    # Its parser is built when it is imported, in a third of a second: for mappings that have one.
    from connectors.mapping.formulas import Formula

    if not isinstance(argument, str) or not argument.strip():
        raise compiler.fail(f'expected a formula such as "qty * price", found {shown(argument)}')
    names = options.get("with", {})
    place = compiler.at("with")
    if not isinstance(names, dict):
        raise place.fail(f"expected name: field pairs, found {shown(names)}")
    given = {str(name): place.at(str(name)).expression(node) for name, node in names.items()}
    formula = Formula(compiler, given)
    compiled = formula.compile(argument)
    unused = [repr(name) for name in given if name not in formula.names]
    if unused:
        raise place.fail(f"the formula does not use {', '.join(unused)}")
    if "places" not in options:
        if formula.endless:
            message = "a quotient may never end: give the option 'places', or round(…, 2) in it"
            raise compiler.fail(message)
        return compiled
    step = step_of(compiler, options["places"])

    def at_places(node: Node) -> Decimal | None:
        number = parse_decimal(compiled(node))
        return None if number is None else rounded(number, step)

    return at_places
