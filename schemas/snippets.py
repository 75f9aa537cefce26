"""The pieces of Python that compiled readers are made of, and the names that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas import primitives

SCOPE: Mapping[str, Any] = {
    "Malformed": primitives.Malformed,
    "read_long": primitives.read_long,
    "read_int": primitives.read_int,
    "read_extent": primitives.read_extent,
    "read_block": primitives.read_block,
    "read_date": primitives.read_date,
    "read_instant": primitives.read_instant,
    "read_decimal": primitives.read_decimal,
    "known_date": primitives.DATES.get,
    "known_instant": primitives.INSTANTS.get,
    "known_decimal": primitives.DECIMALS.get,
}

# `b` is the message, `p` the place in it, `q` an end, `n` a number just read, HELD the value.
PLAIN = {
    "string": """
n = b[p]
if n & 129:
    p, q = read_extent(b, p)
else:
    p += 1
    q = p + (n >> 1)
HELD = b[p:q].decode()
p = q""",
    "boolean": """
n = b[p]
if n > 1:
    raise Malformed("a boolean that is neither 0 nor 1", p)
HELD = n == 1
p += 1""",
    "int": """
n = b[p]
if n < 128:
    HELD = (n >> 1) ^ -(n & 1)
    p += 1
else:
    HELD, p = read_int(b, p)""",
    "long": """
HELD, p = read_long(b, p)""",
    "date": """
HELD = known_date(b[p:p + 3])
if HELD is None:
    HELD, p = read_date(b, p)
else:
    p += 3""",
    "timestamp-micros": """
HELD = known_instant(b[p:p + 8])
if HELD is None:
    HELD, p = read_instant(b, p)
else:
    p += 8""",
    "decimal": """
n = b[p]
if n & 129:
    raise Malformed("a decimal of more than 38 digits", p)
p += 1
q = p + (n >> 1)
HELD = known_decimal(b[p:q])
if HELD is None:
    HELD = read_decimal(b[p:q], p)
p = q""",
}

ARRAY_START = """
HELD = []
LEFT = b[p]
END = -1
if LEFT & 129:
    LEFT, p, END = read_block(b, p)
else:
    LEFT >>= 1
    p += 1
while LEFT:"""
ARRAY_ITEM_END = """
LEFT -= 1
if not LEFT:
    if END >= 0 and END != p:
        raise Malformed("a block whose size is not that of its items", p)
    if b[p]:
        LEFT, p, END = read_block(b, p)
    else:
        p += 1"""
