"""Reads JSON that a stranger wrote: numbers exactly, and nothing that is too deep or no number."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class BrokenJson(ValueError):
    """The text is no JSON that can be taken; says where and why."""


def _no_number(text: str) -> NoReturn:
    raise BrokenJson(f"{text} is no number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


def parse_json(data: bytes, deepest: int) -> Any:
    """The value that ``data`` spells in UTF-8; a number with a fraction or exponent is a Decimal.

    Args:
        data: the text, perhaps with a byte order mark.
        deepest: how many objects and lists may stand within each other.

    Raises:
        BrokenJson: it is no such text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenJson(f"byte {error.start} is not UTF-8 ({error.reason})") from error
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise _too_deep(deepest) from error
    except InvalidOperation as error:
        raise BrokenJson("a number has an exponent that no number can have") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BrokenJson(f"{error.msg} ({place})") from error
    except BrokenJson:
        raise
    except ValueError as error:
        # An integer of thousands of digits.
        raise BrokenJson("a number has too many digits") from error
    if text.count("[") + text.count("{") > deepest and is_deeper(value, deepest):
        raise _too_deep(deepest)
    return value


def is_deeper(value: Any, deepest: int) -> bool:
    """Whether more than ``deepest`` objects and lists stand within each other in ``value``."""
    level = [value] if value.__class__ in (dict, list) else []
    for _ in range(deepest):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if outer.__class__ is dict else outer)
            if inner.__class__ is dict or inner.__class__ is list
        ]
    return bool(level)


def _too_deep(deepest: int) -> BrokenJson:
    return BrokenJson(f"more than {deepest} objects and lists stand within each other")
