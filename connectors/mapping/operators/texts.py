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
    """``{concat: [a, b], sep: " "}``: those that are not empty, joined; empty if all are.

    Of a list (``{values: …}``, ``{split: …}``) each value is a part.
    """
    parts = compiler.expressions(argument)
    separator = str(options.get("sep", ""))

    def joined(node: Node) -> Any:
        values: list[Any] = []
        for part in parts:
            value = part(node)
            if value.__class__ is list:
                values += value
            elif value is not None:
                values.append(value)
        return separator.join(map(as_text, values)) if values else None

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


def _number_without_zeros(text: str) -> str:
    return _without_zeros(text) if text.isdecimal() else text


@operator("strip_zeros", options=("only",))
def strip_zeros(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{strip_zeros: item}``: without leading zeros; ``only: digits`` leaves other texts alone."""
    if "only" not in options:
        return _on_text(_without_zeros)(compiler, argument, options)
    if options["only"] != "digits":
        raise compiler.at("only").fail("allowed: digits")
    return _on_text(_number_without_zeros)(compiler, argument, options)


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


@operator("split", options=("part",), required=("at",))
def split(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{split: serials, at: ";"}``: the parts of a text that are not empty, as a list.

    ``part: 2`` gives the second part alone, ``part: -1`` the last; empty parts count.
    """
    inner = compiler.expression(argument)
    separator = options["at"]
    if not isinstance(separator, str) or not separator:
        raise compiler.fail(f"'at' is the sign between the parts, found {shown(separator)}")
    if "part" in options:
        return _part(compiler, inner, separator, options["part"])

    def parts(node: Node) -> list[str]:
        value = inner(node)
        if value is None:
            return []
        return [part for each in as_text(value).split(separator) if (part := each.strip())]

    return parts


def _part(compiler: Compiler, inner: Expression, separator: str, number: Any) -> Expression:
    if not isinstance(number, int) or isinstance(number, bool) or number == 0:
        message = f"the first part is 1 and the last -1, found {shown(number)}"
        raise compiler.at("part").fail(message)
    index = number - 1 if number > 0 else number

    def part(node: Node) -> str | None:
        value = inner(node)
        if value is None:
            return None
        several = as_text(value).split(separator)
        if not -len(several) <= index < len(several):
            return None
        return several[index].strip() or None

    return part


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
