"""Operators on texts and identifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, as_text, shown

Options = Mapping[str, Any]


@operator("const")
def const(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{const: EUR}``: always this value."""
    return compiler.literal(argument)


@operator("path")
def path(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{path: "$no"}``: a column, even if its name looks like something else."""
    if not isinstance(argument, str):
        raise compiler.fail(f"expected the name of a field, found {shown(argument)}")
    return compiler.column(argument)


@operator("coalesce")
def coalesce(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{coalesce: [a, b, {const: x}]}``: the first that is not empty."""
    candidates = compiler.expressions(argument)

    def first_present(node: Node) -> Any:
        for candidate in candidates:
            value = candidate(node)
            if value is not None:
                return value
        return None

    return first_present


@operator("default", required=("to",))
def default(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{default: a, to: x}``: field a, or the value x where a is empty."""
    inner = compiler.expression(argument)
    otherwise = compiler.at("to").value(options["to"])

    def with_default(node: Node) -> Any:
        value = inner(node)
        return otherwise(node) if value is None else value

    return with_default


@operator("concat", options=("sep",))
def concat(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{concat: [a, b], sep: " "}``: those that are not empty, joined; empty if all are."""
    parts = compiler.expressions(argument)
    separator = str(options.get("sep", ""))

    def joined(node: Node) -> Any:
        values = [as_text(value) for part in parts if (value := part(node)) is not None]
        return separator.join(values) if values else None

    return joined


def _on_text(change: Callable[[str], str]) -> Callable[[Compiler, Any, Options], Expression]:
    def compile_change(compiler: Compiler, argument: Any, options: Options) -> Expression:
        inner = compiler.expression(argument)

        def changed(node: Node) -> Any:
            value = inner(node)
            return None if value is None else change(as_text(value)) or None

        return changed

    return compile_change


def _without_zeros(text: str) -> str:
    return text.lstrip("0") or "0"


operator("strip_zeros")(_on_text(_without_zeros))
operator("trim")(_on_text(str.strip))
operator("upper")(_on_text(str.upper))
operator("lower")(_on_text(str.lower))


@operator("pad", options=("with",), required=("to",))
def pad(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{pad: customer, to: 10}``: zeros in front up to this length; ``with`` another sign."""
    inner = compiler.expression(argument)
    width, filler = options["to"], str(options.get("with", "0"))
    if not isinstance(width, int) or width < 1 or len(filler) != 1:
        raise compiler.fail("'to' is a length from 1, 'with' a single sign")

    def padded(node: Node) -> Any:
        value = inner(node)
        return None if value is None else as_text(value).rjust(width, filler)

    return padded


@operator("split", required=("at",))
def split(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{split: serials, at: ";"}``: the parts of a text that are not empty, as a list."""
    inner = compiler.expression(argument)
    separator = options["at"]
    if not isinstance(separator, str) or not separator:
        raise compiler.fail(f"'at' is the sign between the parts, found {shown(separator)}")

    def parts(node: Node) -> list[str]:
        value = inner(node)
        if value is None:
            return []
        return [part for each in as_text(value).split(separator) if (part := each.strip())]

    return parts


@operator("text")
def text(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{text: {decimal: a}}``: a value as text; a decimal without trailing zeros (2.0 → 2)."""
    inner = compiler.expression(argument)

    def written(node: Node) -> Any:
        value = inner(node)
        if isinstance(value, Decimal):
            return format(value.normalize(), "f")
        return None if value is None else as_text(value)

    return written
