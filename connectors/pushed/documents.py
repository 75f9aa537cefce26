"""Reads a document of the catalogue from JSON, naming each field that does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from connectors.mapping.contract import FieldType, contract_of
from connectors.mapping.values import shown

#: Reads one value; raises ``_Unfit``.
Read = Callable[[Any], Any]

_LONGEST_NUMBER = 80
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNIT = Decimal("1e-9")
_FITS = Context(prec=38)
_MOST_PROBLEMS = 20
_LONG = 2**63


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field: its JSON pointer within the document, a code, a sentence."""

    pointer: str
    code: str
    reason: str


class UnfitDocument(Exception):
    """The value is not a document of its type; ``problems`` says of each field why."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(problems[0].reason)
        self.problems = problems


class _Unfit(Exception):
    """Problems of a value, with the way to each of them from the value on."""

    def __init__(self, *problems: tuple[tuple[str, ...], str, str]) -> None:
        super().__init__()
        self.problems = problems


def read_document(document: str, plain: Any) -> dict[str, Any]:
    """The document that ``plain`` is, fields that are null or missing left out.

    Args:
        document: its type, such as ``invoice``.
        plain: as ``parse_json`` gives it.

    Raises:
        UnfitDocument: fields are missing, unknown, or of another kind.
    """
    try:
        body: dict[str, Any] = _reader(document)(plain)
        return body
    except _Unfit as unfit:
        raise UnfitDocument(
            [
                FieldProblem("".join(f"/{escaped(step)}" for step in way), code, reason)
                for way, code, reason in unfit.problems[:_MOST_PROBLEMS]
            ]
        ) from None


def escaped(step: str) -> str:
    """A name as it stands in a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


@cache
def _reader(document: str) -> Read:
    fields = dict(contract_of(document))
    # The caller may leave the version to the hub.
    return _record(document, fields, frozenset({"version"}))


def _record(what: str, fields: Mapping[str, FieldType], free: frozenset[str]) -> Read:
    readers = {name: _value(name, wanted) for name, wanted in fields.items()}
    required = {name for name, wanted in fields.items() if not wanted.optional} - free

    def read(plain: Any) -> dict[str, Any]:
        if plain.__class__ is not dict:
            raise _Unfit(((), "not_an_object", f"{shown(plain)} is no object ({what})"))
        body: dict[str, Any] = {}
        problems: list[tuple[tuple[str, ...], str, str]] = []
        for name, value in plain.items():
            if value is None and name in readers:
                continue
            reader = readers.get(name)
            if reader is None:
                problems.append(((name,), "unknown_field", _unknown(what, name, readers)))
                continue
            try:
                body[name] = reader(value)
            except _Unfit as unfit:
                problems += [((name, *way), code, reason) for way, code, reason in unfit.problems]
        if not required <= body.keys():
            told = {way[0] for way, _, _ in problems}
            problems += [
                ((name,), "missing", f"{what} needs the field {name!r}")
                for name in readers
                if name in required and name not in body and name not in told
            ]
        if problems:
            raise _Unfit(*problems)
        return body

    return read


def _unknown(what: str, name: str, known: Mapping[str, Read]) -> str:
    near = get_close_matches(name, known, 1)
    return f"{what} has no field {shown(name)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _value(name: str, wanted: FieldType) -> Read:
    if wanted.kind == "record":
        one = _record(name, wanted.fields, frozenset())
    else:
        one = _SCALARS[wanted.kind]
    return _list(one) if wanted.many else one


def _list(one: Read) -> Read:
    def read(plain: Any) -> list[Any]:
        if plain.__class__ is not list:
            raise _Unfit(((), "not_a_list", f"{shown(plain)} is no list"))
        entries: list[Any] = []
        problems: list[tuple[tuple[str, ...], str, str]] = []
        for index, value in enumerate(plain):
            try:
                entries.append(one(value))
            except _Unfit as unfit:
                number = str(index)
                problems += [((number, *way), code, reason) for way, code, reason in unfit.problems]
                if len(problems) >= _MOST_PROBLEMS:
                    break
        if problems:
            raise _Unfit(*problems)
        return entries

    return read


def _refuse(code: str, plain: Any, what: str) -> _Unfit:
    written = str(plain) if plain.__class__ is Decimal else plain
    return _Unfit(((), code, f"{shown(written)} is {what}"))


def _text(plain: Any) -> str:
    if plain.__class__ is not str:
        raise _refuse("not_a_text", plain, "no text: write it in quotation marks")
    if "\0" in plain:
        raise _refuse("not_a_text", plain, "a text with a NUL sign, which nothing can keep")
    text: str = plain
    return text


def _bool(plain: Any) -> bool:
    if plain is True or plain is False:
        return plain
    raise _refuse("not_true_or_false", plain, "neither true nor false")


def _integer(plain: Any) -> int:
    if plain.__class__ is not int or not -_LONG <= plain < _LONG:
        raise _refuse("not_whole", plain, "no whole number of at most 64 bits")
    number: int = plain
    return number


def _decimal(plain: Any) -> Decimal:
    if plain.__class__ is str:
        if len(plain) > _LONGEST_NUMBER or not _NUMBER.fullmatch(plain):
            raise _refuse("not_a_number", plain, "no decimal number such as 1234.50")
        number = Decimal(plain)
    elif plain.__class__ is Decimal:
        number = plain
    elif plain.__class__ is int:
        number = Decimal(plain)
    else:
        raise _refuse("not_a_number", plain, "no decimal number such as 1234.50")
    try:
        exact = number.quantize(_UNIT, context=_FITS)
    except InvalidOperation as error:
        what = "beyond the 29 digits that may stand before the point"
        raise _refuse("out_of_range", plain, what) from error
    if exact != number:
        raise _refuse("too_fine", plain, "finer than the 9 digits that may stand behind the point")
    return number


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


def _date(plain: Any) -> date:
    try:
        if plain.__class__ is str:
            return _day(plain)
    except ValueError:
        pass
    raise _refuse("not_a_date", plain, "no date of the calendar as YYYY-MM-DD")


def _instant(plain: Any) -> datetime:
    try:
        if plain.__class__ is str:
            at = datetime.fromisoformat(plain)
            if at.tzinfo is not None and "T" in plain:
                return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    what = "no instant with its time zone, such as 2026-01-31T08:30:00Z"
    raise _refuse("not_an_instant", plain, what)


_SCALARS: Mapping[str, Read] = {
    "text": _text,
    "bool": _bool,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "instant": _instant,
}
