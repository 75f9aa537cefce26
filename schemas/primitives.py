"""Reads Avro's primitive values strictly: a value that does not fit its type is ``Malformed``.

The functions take the bytes and an offset and return the value and the offset behind it. Values
that recur from record to record (dates, instants, amounts) are kept by their encoding.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from struct import Struct

SCALE = 9
DIGITS = 38

DATES: dict[bytes, date] = {}
INSTANTS: dict[bytes, datetime] = {}
DECIMALS: dict[bytes, Decimal] = {}

_KEPT = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_LAST_DAY = date.max.toordinal()
_BEYOND = 10**DIGITS
_UNIT = Decimal(1).scaleb(-SCALE)
_multiply = Context(prec=DIGITS + SCALE).multiply
_eight_bytes = Struct("<Q").unpack_from


class Malformed(Exception):
    """The bytes are not what the contract says; says why and at which offset."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset


def read_long(b: bytes, p: int) -> tuple[int, int]:
    """Read a zigzag number of at most 64 bits, in as few bytes as it takes."""
    n = b[p]
    if n < 128:
        return (n >> 1) ^ -(n & 1), p + 1
    if p + 8 <= len(b):
        (n,) = _eight_bytes(b, p)
        if n & 0x8080808080808080 == 0x0080808080808080 and n >> 56:
            # Eight groups of seven bits, as in any instant of our time: pairs are joined at once.
            n &= 0x7F7F7F7F7F7F7F7F
            n -= (n & 0x7F007F007F007F00) >> 1
            n -= ((n & 0x3FFF00003FFF0000) >> 2) * 3
            n -= ((n & 0x0FFFFFFF00000000) >> 4) * 15
            return (n >> 1) ^ -(n & 1), p + 8
    return _read_long_by_bytes(b, p)


def _read_long_by_bytes(b: bytes, p: int) -> tuple[int, int]:
    start, bits, n = p, 0, 0
    while (byte := b[p]) > 127:
        n |= (byte & 127) << bits
        bits += 7
        p += 1
        if bits > 63:
            raise Malformed("a number longer than 64 bits", start)
    if byte == 0 and bits:
        raise Malformed("a number with needless bytes", start)
    n |= byte << bits
    if n >> 64:
        raise Malformed("a number longer than 64 bits", start)
    return (n >> 1) ^ -(n & 1), p + 1


def read_int(b: bytes, p: int) -> tuple[int, int]:
    """Read a zigzag number of at most 32 bits."""
    n, end = read_long(b, p)
    if not -0x80000000 <= n <= 0x7FFFFFFF:
        raise Malformed("a number longer than 32 bits", p)
    return n, end


def read_extent(b: bytes, p: int) -> tuple[int, int]:
    """Read the length before text; return where the text starts and ends."""
    size, start = read_long(b, p)
    if size < 0:
        raise Malformed("text of negative length", p)
    return start, start + size


def read_block(b: bytes, p: int) -> tuple[int, int, int]:
    """Read the head of a block of array items; return (items, offset, end or -1 if not stated)."""
    items, start = read_long(b, p)
    if items >= 0:
        return items, start, -1
    size, start = read_long(b, start)
    if size < 0:
        raise Malformed("a block of negative size", p)
    return -items, start, start + size


def read_date(b: bytes, p: int) -> tuple[date, int]:
    """Read days since 1970-01-01."""
    days, end = read_int(b, p)
    ordinal = days + _EPOCH_DAY
    if not 1 <= ordinal <= _LAST_DAY:
        raise Malformed("a date outside the years 1 to 9999", p)
    value = date.fromordinal(ordinal)
    if end == p + 3:
        if len(DATES) >= _KEPT:
            DATES.clear()
        DATES[b[p:end]] = value
    return value, end


def read_instant(b: bytes, p: int) -> tuple[datetime, int]:
    """Read microseconds since 1970-01-01 UTC."""
    micros, end = read_long(b, p)
    try:
        value = _EPOCH + timedelta(0, 0, micros)
    except OverflowError:
        raise Malformed("an instant outside the years 1 to 9999", p) from None
    if end == p + 8 and not micros % 1_000_000:
        if len(INSTANTS) >= _KEPT:
            INSTANTS.clear()
        INSTANTS[b[p:end]] = value
    return value, end


def read_decimal(raw: bytes, p: int) -> Decimal:
    """Return the decimal of nine places whose unscaled value is ``raw``, big-endian."""
    unscaled = int.from_bytes(raw, "big", signed=True)
    if not 0 < len(raw) <= 16 or not -_BEYOND < unscaled < _BEYOND:
        raise Malformed(f"a decimal of no bytes or of more than {DIGITS} digits", p)
    value = _multiply(Decimal(unscaled), _UNIT)
    if len(DECIMALS) >= _KEPT:
        DECIMALS.clear()
    DECIMALS[raw] = value
    return value
