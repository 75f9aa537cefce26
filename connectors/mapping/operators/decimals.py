"""Operators that read numbers as sources write them: signs, scales, units of measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.numbers import EXACT, parse_decimal, shifted
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown
from schemas.currencies import DIGITS

Options = Mapping[str, Any]

_MINUS = ("leading", "trailing", "parentheses")
#: Signs that stand for a space between groups of digits.
_SPACES = "\u00a0\u202f\u2009"
_SIGNS = re.compile(r"[^\w\s+\-()%]|\s")


@operator("decimal", options=("mark", "group", "minus", "percent"))
def decimal(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{decimal: a, mark: ",", group: ".", minus: trailing}``: a number written with these signs.

    ``minus`` is ``leading`` (the default), ``trailing`` (``5-``) or ``parentheses`` (``(5)``); a
    leading one is read in each case. ``percent: true`` gives a hundredth, with or without the %.
    """
    inner = compiler.expression(argument)
    if not options:
        return lambda node: parse_decimal(inner(node))
    mark, group = options.get("mark", "."), options.get("group")
    for name, sign in (("mark", mark), ("group", group)):
        if sign is not None and not (isinstance(sign, str) and _SIGNS.fullmatch(sign)):
            raise compiler.at(name).fail(f"expected a sign such as ',', found {shown(sign)}")
    if mark == group:
        raise compiler.at("group").fail("'mark' and 'group' are different signs")
    minus = options.get("minus", "leading")
    if minus not in _MINUS:
        raise compiler.at("minus").fail(f"found {shown(minus)}; allowed: {', '.join(_MINUS)}")
    percent = options.get("percent", False)
    if not isinstance(percent, bool):
        raise compiler.at("percent").fail("allowed: true, false")
    plain = None if minus == "leading" and not percent else _unsigned(minus, percent)
    grouped = None if group is None else _grouping(mark, group)

    def written(node: Node) -> Decimal | None:
        value = inner(node)
        if value.__class__ is str:
            number = _parsed(value, plain, mark, grouped)
        else:
            number = parse_decimal(value)
        return shifted(number, -2) if percent and number is not None else number

    return written


# The amounts of a record are often the same, and rates and quantities recur.
@lru_cache(maxsize=10_000)
def _parsed(
    value: str,
    plain: Callable[[str], tuple[str, bool]] | None,
    mark: str,
    grouped: Callable[[str], str] | None,
) -> Decimal | None:
    text, negative = (value, False) if plain is None else plain(value)
    if grouped is not None:
        text = grouped(text)
    if mark != ".":
        text = "?" if "." in text else text.replace(mark, ".")
    # A sign before and another one behind is no number.
    if negative and text[:1] in ("-", "+", ""):
        text = "?"
    try:
        number = parse_decimal(text)
    except Refusal as refusal:
        how = "" if grouped is None else " and digits in groups of three"
        reason = f"{shown(value)} is no decimal number with the sign {mark!r}{how}"
        raise Refusal(refusal.code, reason) from refusal
    return EXACT.minus(number) if negative and number is not None else number


@cache
def _unsigned(minus: str, percent: bool) -> Callable[[str], tuple[str, bool]]:
    """Takes the signs of a text away that no decimal has; whether one of them was a minus."""

    def unsigned(value: str) -> tuple[str, bool]:
        text, negative = value.strip(), False
        if percent:
            text = text.removesuffix("%").rstrip()
        if minus == "trailing" and text.endswith("-"):
            text, negative = text[:-1].rstrip(), True
        elif minus == "parentheses" and text.startswith("(") and text.endswith(")"):
            text, negative = text[1:-1].strip(), True
        return text, negative

    return unsigned


@cache
def _grouping(mark: str, group: str) -> Callable[[str], str]:
    """Takes the signs between groups away; gives "?" where these stand in wrong places."""
    spaced = group.isspace()
    between, behind = re.escape(group), re.escape(mark)
    # The last group has three digits everywhere; in India those before it have two.
    fits = re.compile(
        rf"\s*[+-]?\d{{1,3}}(?:{between}\d{{2,3}})*{between}\d{{3}}(?:{behind}\d*)?\s*", re.ASCII
    ).fullmatch

    def ungrouped(text: str) -> str:
        if spaced:
            text = text.strip().translate(dict.fromkeys(map(ord, _SPACES), group))
        at = text.rfind(group)
        if at < 0:
            return text
        end = text.find(mark)
        last = text[at + 1 : end] if end >= 0 else text[at + 1 :]
        # Most numbers have one group, which needs no search.
        if at <= 3 and len(last) == 3 and last.isdecimal() and text[:at].isdecimal():
            return text.replace(group, "")
        return text.replace(group, "") if fits(text) else "?"

    return ungrouped


_WRITTEN = ("two_places", "smallest_unit")


@operator("scale", options=("by", "currency", "written"))
def scale(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{scale: a, by: -2}`` or ``{scale: a, currency: WAERS, written: two_places}``.

    The number times ten to the power of ``by``. With ``currency`` the digits of that currency
    decide: ``two_places`` is an amount that the source keeps with two places in every currency
    (SAP: 10.00 is ¥1,000), ``smallest_unit`` one in cents, yen or fils.
    """
    inner = compiler.expression(argument)
    if ("by" in options) == ("currency" in options) or ("currency" in options) != (
        "written" in options
    ):
        raise compiler.fail("needs 'by', or 'currency' with 'written'")
    if "by" in options:
        power = options["by"]
        if not isinstance(power, int) or isinstance(power, bool) or not -18 <= power <= 18:
            raise compiler.at("by").fail(f"a power from -18 to 18, found {shown(power)}")

        def moved(node: Node) -> Decimal | None:
            number = parse_decimal(inner(node))
            return None if number is None else shifted(number, power)

        return moved
    if options["written"] not in _WRITTEN:
        raise compiler.at("written").fail(f"allowed: {', '.join(_WRITTEN)}")
    places = 2 if options["written"] == "two_places" else 0
    currency = compiler.at("currency").expression(options["currency"])

    def in_currency(node: Node) -> Decimal | None:
        number, code = parse_decimal(inner(node)), currency(node)
        if number is None:
            return None
        digits = DIGITS.get(as_text(code)) if code is not None else None
        if digits is None:
            raise Refusal("unknown_currency", f"{shown(code)} is no currency of ISO 4217")
        return shifted(number, places - digits)

    return in_currency


@operator("convert", required=("from", "table", "otherwise"))
def convert(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{convert: qty, from: unit, table: {KG: 1, G: 0.001}, otherwise: reject}``: times a factor.

    ``otherwise`` says what becomes of a unit that is not in the table: ``reject``, ``null`` or a
    factor. An empty unit counts as the key ``null`` if there is one.
    """
    inner = compiler.expression(argument)
    unit = compiler.at("from").expression(options["from"])
    table = options["table"]
    if not isinstance(table, dict) or not table:
        raise compiler.at("table").fail(f"expected unit: factor pairs, found {shown(table)}")
    factors = {
        None if key is None else as_text(key): _factor(compiler.at("table").at(as_text(key)), value)
        for key, value in table.items()
    }
    otherwise = options["otherwise"]
    fallback = (
        None if otherwise in ("reject", None) else _factor(compiler.at("otherwise"), otherwise)
    )
    known = ", ".join(shown(key) for key in factors)

    def converted(node: Node) -> Decimal | None:
        number = parse_decimal(inner(node))
        if number is None:
            return None
        name = unit(node)
        factor = factors.get(None if name is None else as_text(name), fallback)
        if factor is None:
            if otherwise is None:
                return None
            raise Refusal("unknown_unit", f"{shown(name)} is none of {known}")
        return EXACT.multiply(number, factor)

    return converted


def _factor(compiler: Compiler, value: Any) -> Decimal:
    try:
        factor = None if isinstance(value, bool) else parse_decimal(as_text(value))
    except Refusal:
        factor = None
    if factor is None or factor <= 0:
        raise compiler.fail(f"expected a factor above 0 such as 0.001, found {shown(value)}")
    return factor
