"""The operators of the mapping language, one family per module; importing this registers them."""

from connectors.mapping.operators import (
    checks,
    choices,
    decimals,
    expressions,
    numbers,
    patterns,
    records,
    tables,
    tests,
    texts,
    times,
)

__all__ = [
    "checks",
    "choices",
    "decimals",
    "expressions",
    "numbers",
    "patterns",
    "records",
    "tables",
    "tests",
    "texts",
    "times",
]
