"""One JSON object as a record; numbers with a fraction stay the text that is written."""

from __future__ import annotations

from typing import Any

from connectors.exact_json import BRACKET, DEEPEST, EXACT, refused


def json_record(
    text: str, what: str, columns: tuple[str, ...] | None = None
) -> dict[str, Any] | tuple[str, str]:
    """The object that ``text`` holds, or a code and the reason why it holds none.

    Args:
        text: one JSON value.
        what: names it in the reason: a line, an entry.
        columns: names for its values, where it is an array.
    """
    # Counting is quick, and the real depth is never more.
    if text.count("{") + text.count("[") > DEEPEST and _depth(text) > DEEPEST:
        return "too_deep", f"{what} is nested more than {DEEPEST} levels deep"
    try:
        row: Any = EXACT.decode(text)
    except ValueError as error:
        return "broken_json", f"{what} is no JSON: {error}"
    if columns is not None and isinstance(row, list):
        if len(row) != len(columns):
            reason = f"{what} has {len(row)} values; the mapping's 'columns' names {len(columns)}"
            return "wrong_columns", reason
        row = dict(zip(columns, row, strict=True))
    if not isinstance(row, dict):
        return "broken_json", f"{what} holds a {type(row).__name__}, not an object"
    # Only escapes can spell signs that no record may have.
    bad = refused(row, what) if "\\u" in text else None
    return row if bad is None else bad


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in BRACKET.finditer(text):
        if found[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif found[2]:
            depth -= 1
    return deepest
