"""Operators on numbers: exact decimals, never binary floats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, InvalidOperation
from functools import lru_cache
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]

# Wide enough that sums and products of contract decimals (38 digits) stay exact.
EXACT = Context(prec=120, rounding=ROUND_HALF_UP, Emax=999, Emin=-999)
_LONGEST = 60
_LONGEST_BITS = 198


def parse_decimal(value: Any) -> Decimal | None:
    """A decimal from a source value; None stays None.

    Raises:
        Refusal: the value is no finite decimal number.
    """
    if value is None or (value.__class__ is Decimal and value.is_finite()):
        return value
    if value.__class__ is int and value.bit_length() < _LONGEST_BITS:
        return Decimal(value)
    if value.__class__ is str and (number := _written_number(value)) is not None:
        return number
    raise Refusal("not_a_number", f"{shown(value)} is no decimal number{_hint(value)}")


# Rates, quantities and the amounts of a record recur.
@lru_cache(maxsize=10_000)
def _written_number(text: str) -> Decimal | None:
    """The number that a text is; None where it is no finite one, or has too many digits."""
    if len(text) > _LONGEST or "_" in text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and -60 < number.adjusted() < 60 else None


def _hint(value: Any) -> str:
    """What is wrong with a number, where it can be told."""
    text = as_text(value)[: _LONGEST + 1].strip().lower()
    if text.lstrip("+-") in ("nan", "snan", "inf", "infinity"):
        return ": it is not finite"
    if re.fullmatch(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", text):
        return f": it has more than {_LONGEST} digits"
    if re.fullmatch(r"[(+-]?\d[\d.,' \u00a0\u202f]*[)-]?\s*%?", text):
        return "; 'mark', 'group', 'minus' and 'percent' of {decimal: …} say how it is written"
    return ""


@operator("integer")
def integer(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{integer: a}``: a whole number."""
    inner = compiler.expression(argument)

    def whole(node: Node) -> int | None:
        number = parse_decimal(inner(node))
        if number is None:
            return None
        if number != number.to_integral_value():
            raise Refusal("not_whole", f"{number} is no whole number")
        return int(number)

    return whole


Calculation = Callable[[Decimal, Decimal], Decimal]


def _calculated(
    terms: list[Expression], step: Calculation, what: str
) -> Callable[[Node], Decimal | None]:
    def calculate(node: Node) -> Decimal | None:
        result: Decimal | None = None
        for term in terms:
            number = parse_decimal(term(node))
            if number is None:
                return None
            if result is None:
                result = number
                continue
            try:
                result = step(result, number)
            except DecimalException as error:
                raise Refusal("calculation", f"cannot {what} {result} and {number}") from error
        return result

    return calculate


def _arithmetic(step: Calculation, what: str) -> Callable[[Compiler, Any, Options], Expression]:
    def compile_arithmetic(compiler: Compiler, argument: Any, options: Options) -> Expression:
        return _calculated(compiler.expressions(argument), step, what)

    return compile_arithmetic


operator("add")(_arithmetic(EXACT.add, "add"))
operator("subtract")(_arithmetic(EXACT.subtract, "subtract"))
operator("multiply")(_arithmetic(EXACT.multiply, "multiply"))


def rounded(number: Decimal, step: Decimal) -> Decimal:
    """A number rounded half up to the digits of ``step``.

    Raises:
        Refusal: it has more digits than can be kept.
    """
    try:
        return number.quantize(step, context=EXACT)
    except InvalidOperation as error:
        raise Refusal("calculation", f"{shown(str(number))} is too large to be rounded") from error


def shifted(number: Decimal, power: int) -> Decimal:
    """A number times ten to a power.

    Raises:
        Refusal: the result is beyond what can be kept.
    """
    try:
        return number.scaleb(power, EXACT)
    except DecimalException as error:
        raise Refusal("calculation", f"{shown(str(number))} is too large") from error


def step_of(compiler: Compiler, places: Any) -> Decimal:
    """The last digit of a number with so many places."""
    if not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= 9:
        raise compiler.fail(f"'places' is a number from 0 to 9, found {shown(places)}")
    return Decimal(1).scaleb(-places)


@operator("divide", required=("places",))
def divide(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{divide: [a, b], places: 6}``: rounded half up, since a quotient may never end."""
    step = step_of(compiler, options["places"])
    quotient = _calculated(compiler.expressions(argument), EXACT.divide, "divide")

    def divided(node: Node) -> Decimal | None:
        value = quotient(node)
        return None if value is None else rounded(value, step)

    return divided


@operator("round", required=("places",))
def round_half_up(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{round: a, places: 2}``: half up."""
    step = step_of(compiler, options["places"])
    inner = compiler.expression(argument)

    def at_places(node: Node) -> Decimal | None:
        number = parse_decimal(inner(node))
        return None if number is None else rounded(number, step)

    return at_places


@operator("negate")
def negate(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{negate: a}``: the number with the other sign."""
    inner = compiler.expression(argument)

    def negated(node: Node) -> Decimal | None:
        number = parse_decimal(inner(node))
        return None if number is None else EXACT.minus(number)

    return negated


@operator("abs")
def absolute(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{abs: a}``: the number without its sign."""
    inner = compiler.expression(argument)

    def unsigned(node: Node) -> Decimal | None:
        number = parse_decimal(inner(node))
        return None if number is None else EXACT.abs(number)

    return unsigned


@operator("sign", options=("positive",), required=("by", "negative", "source"))
def sign(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{sign: a, by: type, negative: [S1], source: unsigned}``: the sign that a type says.

    ``source: unsigned`` gives the number as written, negated where the type is negative;
    ``source: signed`` drops the written sign first. With ``positive: […]`` other types reject.
    """
    inner = compiler.expression(argument)
    indicator = compiler.at("by").expression(options["by"])
    negative = {as_text(each) for each in _listed(compiler.at("negative"), options["negative"])}
    positive = (
        {as_text(each) for each in _listed(compiler.at("positive"), options["positive"])}
        if "positive" in options
        else None
    )
    if options["source"] not in ("signed", "unsigned"):
        raise compiler.at("source").fail("allowed: signed, unsigned")
    drop = options["source"] == "signed"

    def signed(node: Node) -> Decimal | None:
        number = parse_decimal(inner(node))
        if number is None:
            return None
        kind = indicator(node)
        kind = "" if kind is None else as_text(kind)
        if positive is not None and kind not in positive and kind not in negative:
            raise Refusal("unknown_value", f"{shown(kind)} says no sign")
        number = EXACT.abs(number) if drop else number
        return EXACT.minus(number) if kind in negative else number

    return signed


def _listed(compiler: Compiler, node: Any) -> list[Any]:
    if not isinstance(node, list):
        raise compiler.fail(f"expected a list of values, found {shown(node)}")
    return node
