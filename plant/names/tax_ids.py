"""Tax numbers of companies, with valid check digits."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from stdnum import luhn
from stdnum.iso7064 import mod_11_10
from stdnum.ru import inn
from stdnum.tr import vkn

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_DIGITS_AND_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
# With which the codes given out since 2015 begin.
_CODE_FIRST = "MA"


def credit_code(chance: Random, division: str) -> str:
    """Return a unified social credit code (GB 32100) of a company.

    ``division`` is the six-digit code of the district in which it is registered.
    """
    code = _CODE_FIRST + "".join(chance.choice(_ALPHABET) for _ in range(6))
    total = sum(
        weight * _DIGITS_AND_LETTERS.index(character)
        for weight, character in zip(_CODE_WEIGHTS, code, strict=True)
    )
    number = f"91{division}{code}{'0123456789X'[-total % 11]}"
    total = sum(
        weight * _ALPHABET.index(character)
        for weight, character in zip(_USCC_WEIGHTS, number, strict=True)
    )
    return number + _ALPHABET[-total % 31]


def foreign_tax_id(chance: Random, country: str) -> str:
    """Return a tax number of a company in DE, GB, US, IT, TR or RU."""
    match country:
        case "DE":
            return "DE" + _checked(_digits(chance, 8), mod_11_10.calc_check_digit)
        case "IT":
            return "IT" + _checked(_digits(chance, 7) + "015", luhn.calc_check_digit)
        case "TR":
            return _checked(_digits(chance, 9), vkn.calc_check_digit)
        case "RU":
            return _checked(_digits(chance, 9), inn.calc_company_check_digit)
        case "GB":
            return "GB" + _british(_digits(chance, 7))
        case _:
            number = _digits(chance, 9)
            return f"{number[:2]}-{number[2:]}"


def _digits(chance: Random, count: int) -> str:
    return str(chance.randrange(10 ** (count - 1), 10**count))


def _british(number: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), number, strict=True))
    return f"{number}{97 - total % 97:02d}"


def _checked(number: str, check_digit: Callable[[str], str]) -> str:
    return f"{number}{check_digit(number)}"
