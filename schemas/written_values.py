"""Writes Avro's primitive values: what has not exactly the type that is read back is ``Unfit``.

Values that recur from record to record (dates, instants, amounts) are kept with their bytes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

from schemas.primitives import DIGITS, SCALE, Malformed, read_decimal

#: The bytes of whole numbers: ``SMALL[n]`` for n from -64 to 63.
SMALL = tuple(bytes([(n << 1) ^ (n >> 63)]) for n in (*range(64), *range(-64, 0)))

DATES: dict[date, bytes] = {}
INSTANTS: dict[datetime, bytes] = {}
#: With each amount as it is read: of nine places.
DECIMALS: dict[Decimal, tuple[bytes, Decimal]] = {}

_KEPT = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_UNIT = Decimal(1).scaleb(-SCALE)
_exact = Context(prec=DIGITS, traps=[InvalidOperation, Inexact])


class Unfit(ValueError):
    """The value may not be written as it is."""


def long_bytes(n: int) -> bytes:
    """Return a number zigzagged, seven bits to a byte, the lowest first."""
    if not -(2**63) <= n < 2**63:
        raise Unfit
    rest = (n << 1) ^ (n >> 63)
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def int_bytes(n: int) -> bytes:
    """Return a number of at most 32 bits as ``long_bytes`` does."""
    if not -(2**31) <= n < 2**31:
        raise Unfit
    return long_bytes(n)


def date_bytes(value: date) -> bytes:
    """Return the days since 1970-01-01."""
    written = long_bytes(value.toordinal() - _EPOCH_DAY)
    if len(DATES) >= _KEPT:
        DATES.clear()
    DATES[value] = written
    return written


def instant_bytes(value: datetime) -> bytes:
    """Return the microseconds since 1970-01-01 UTC."""
    written = long_bytes((value - _EPOCH) // _MICROSECOND)
    if len(INSTANTS) >= _KEPT:
        INSTANTS.clear()
    INSTANTS[value] = written
    return written


def decimal_bytes(value: Decimal) -> tuple[bytes, Decimal]:
    """Return the unscaled value behind its length, and the amount as it is read."""
    try:
        unscaled = int(_exact.scaleb(_exact.quantize(value, _UNIT), SCALE))
        raw = unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)
        written = SMALL[len(raw)] + raw, read_decimal(raw, 0)
    except (DecimalException, Malformed, ValueError) as error:
        raise Unfit from error
    if len(DECIMALS) >= _KEPT:
        DECIMALS.clear()
    DECIMALS[value] = written
    return written
