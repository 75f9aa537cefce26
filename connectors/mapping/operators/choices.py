"""Operators that choose between values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.tests import condition
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]


@operator("map", required=("of", "otherwise"))
def value_map(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{map: {F2: invoice}, of: type, otherwise: reject}``: a value for each known value.

    ``otherwise`` must be said: ``reject``, ``null`` or a value. An empty field counts as the key
    ``null`` if there is one, else it goes to ``otherwise`` as well.
    """
    if not isinstance(argument, dict) or not argument:
        raise compiler.fail(f"expected value: value pairs, found {shown(argument)}")
    inner = compiler.at("of").expression(options["of"])
    chosen = {
        None if key is None else as_text(key): compiler.at(as_text(key)).value(value)
        for key, value in argument.items()
    }
    otherwise = options["otherwise"]
    fallback = None if otherwise == "reject" else compiler.at("otherwise").value(otherwise)
    known = ", ".join(shown(key) for key in chosen)

    def mapped(node: Node) -> Any:
        value = inner(node)
        choice = chosen.get(None if value is None else as_text(value), fallback)
        if choice is None:
            raise Refusal("unknown_value", f"{shown(value)} is none of {known}")
        return choice(node)

    return mapped


@operator("case", options=("else",))
def case(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{case: [{if: test, then: value}], else: value}``: the first test that holds."""
    if not isinstance(argument, list) or not argument:
        raise compiler.fail(f"expected a list of {{if, then}}, found {shown(argument)}")
    branches = []
    for index, branch in enumerate(argument):
        place = compiler.at(index)
        if not isinstance(branch, dict) or set(branch) != {"if", "then"}:
            raise place.fail(f"expected {{if: test, then: value}}, found {shown(branch)}")
        test = condition(place.at("if"), branch["if"])
        branches.append((test, place.at("then").value(branch["then"])))
    otherwise = compiler.at("else").value(options.get("else"))

    def chosen(node: Node) -> Any:
        for test, then in branches:
            if test(node):
                return then(node)
        return otherwise(node)

    return chosen


@operator("reject", required=("reason",))
def reject(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{reject: code, reason: text}``: refuses the record, as a branch of case or coalesce."""
    code, reason = as_text(argument), as_text(options["reason"])

    def refuse(node: Node) -> Any:
        raise Refusal(code, reason)

    return refuse
