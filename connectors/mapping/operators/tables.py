"""Operators that look a value up in a table of the mapping itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.times import parse_day
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]

#: The entries of one key: the days from which they hold, in order, and their values.
_Entries = tuple[list[date], list[Expression]]


@operator("lookup", options=("as_of", "take"), required=("in", "otherwise"))
def lookup(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{lookup: terms, in: {Z009: {days: 30}}, take: days, otherwise: reject}``.

    The entry of the table ``in`` for a value, of which ``take`` names the column. With ``as_of``,
    a date, each key has a list of entries with ``from: 2026-01-01``, and the newest that holds on
    that day counts. ``otherwise`` says what becomes of a value that has no entry: ``reject``,
    ``null`` or a value. An empty value counts as the key ``null`` if there is one.
    """
    inner = compiler.expression(argument)
    table = options["in"]
    place = compiler.at("in")
    if not isinstance(table, dict) or not table:
        raise place.fail(f"expected value: entry pairs, found {shown(table)}")
    dated = "as_of" in options
    day_of = compiler.at("as_of").expression(options["as_of"]) if dated else None
    zone = compiler.defaults.zone
    entries: dict[str | None, _Entries] = {
        None if key is None else as_text(key): _entries(
            place.at(as_text(key)), entry, options, dated
        )
        for key, entry in table.items()
    }
    otherwise = options["otherwise"]
    fallback = None if otherwise == "reject" else compiler.at("otherwise").value(otherwise)

    def found(node: Node) -> Any:
        value = inner(node)
        known = entries.get(None if value is None else as_text(value))
        day = None if day_of is None else parse_day(day_of(node), zone)
        if known is not None and (day is not None or not dated):
            at = bisect_right(known[0], day) - 1 if day is not None else 0
            if at >= 0:
                return known[1][at](node)
        if fallback is not None:
            return fallback(node)
        on = f" on {day or 'an empty date'}" if dated else ""
        raise Refusal("unknown_value", f"the table has no entry for {shown(value)}{on}")

    return found


def _entries(compiler: Compiler, entry: Any, options: Options, dated: bool) -> _Entries:
    if not dated:
        return [], [_taken(compiler, entry, options)]
    if not isinstance(entry, list) or not entry:
        raise compiler.fail(f"expected a list of entries with 'from', found {shown(entry)}")
    several: dict[date, Expression] = {}
    for index, each in enumerate(entry):
        place = compiler.at(index)
        if not isinstance(each, dict) or "from" not in each:
            raise place.fail(f"needs the day 'from' which it holds, found {shown(each)}")
        try:
            begin = date.fromisoformat(as_text(each["from"]))
        except ValueError as error:
            message = f"expected a date such as 2026-01-01, found {shown(each['from'])}"
            raise place.at("from").fail(message) from error
        if begin in several:
            raise place.at("from").fail(f"a second entry from {begin}")
        several[begin] = _taken(place, each, options)
    return sorted(several), [several[begin] for begin in sorted(several)]


def _taken(compiler: Compiler, entry: Any, options: Options) -> Expression:
    if "take" not in options:
        if isinstance(entry, dict):
            raise compiler.fail("an entry with several columns needs the option 'take'")
        return compiler.value(entry)
    column = options["take"]
    if not isinstance(entry, dict) or column not in entry:
        raise compiler.fail(f"the entry has no {shown(column)}")
    return compiler.at(as_text(column)).value(entry[column])
