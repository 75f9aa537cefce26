"""Compiles what a stream reads from a database: ``table: {changed: column, overlap: PT5M}``."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.mapping.problems import Fault
from connectors.mapping.table_reads import TableRead
from connectors.mapping.values import shown

if TYPE_CHECKING:
    from connectors.mapping.compiler import Compiler

_KEYS = ("query", "key", "changed", "overlap", "every", "compare", "most_deleted", "outbox")
_ONLY_COMPARED = ("most_deleted",)
_NEVER_COMPARED = ("changed", "overlap", "outbox")
_PERIOD = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)%$")
_READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_EVERY = timedelta(seconds=10)
#: A whole table is read more seldom than a few minutes of it.
_EVERY_WHOLE = timedelta(minutes=1)


def load_table(compiler: Compiler, node: Any) -> TableRead | None:
    """Compile the key ``table`` of a stream; None where it has none."""
    if node is None:
        return None
    if not isinstance(node, dict):
        raise compiler.fail(f"expected {{changed: …}} or {{compare: true}}, found {shown(node)}")
    unknown = [key for key in node if key not in _KEYS]
    if unknown:
        allowed = ", ".join(_KEYS)
        raise Fault(compiler.problem(f"unknown key {unknown[0]!r}; allowed: {allowed}"))
    compare = node.get("compare", False)
    if not isinstance(compare, bool):
        raise compiler.at("compare").fail(f"found {shown(compare)}; allowed: true, false")
    _ways(compiler, node, compare)
    return TableRead(
        query=_query(compiler.at("query"), node.get("query")),
        key=_columns(compiler.at("key"), node.get("key")),
        changed=_name(compiler.at("changed"), node.get("changed")),
        overlap=_overlap(compiler.at("overlap"), node.get("overlap")),
        every=_period(compiler.at("every"), node.get("every"))
        or (_EVERY_WHOLE if compare else _EVERY),
        compare=compare,
        most_deleted=share_named(compiler.at("most_deleted"), node.get("most_deleted", "50%")),
        outbox=_name(compiler.at("outbox"), node.get("outbox")),
    )


def _ways(compiler: Compiler, node: dict[str, Any], compare: bool) -> None:
    misplaced = _NEVER_COMPARED if compare else _ONLY_COMPARED
    for key in misplaced:
        if key in node:
            word = "not for a" if compare else "only for a"
            raise compiler.at(key).fail(f"{word} table with 'compare: true'")
    if not compare and "changed" not in node and "outbox" not in node:
        raise compiler.fail(
            "needs 'changed' (a column that grows with every change), 'outbox' or 'compare: true'"
        )
    if "outbox" in node and "query" in node:
        raise compiler.at("query").fail("an outbox is a table: name it with 'from'")


def _query(compiler: Compiler, text: Any) -> str | None:
    if text is None:
        return None
    query = str(text).strip().removesuffix(";")
    if _READS.match(query) is None or ";" in query:
        raise compiler.fail(f"expected a single SELECT, found {shown(text)}")
    return query


def _columns(compiler: Compiler, found: Any) -> tuple[str, ...]:
    if found is None:
        return ()
    names = found if isinstance(found, list) and found else [found]
    return tuple(str(_name(compiler, name)) for name in names)


def _name(compiler: Compiler, found: Any) -> str | None:
    if found is not None and (not isinstance(found, str) or not found):
        raise compiler.fail(f"expected a name, found {shown(found)}")
    return found


def _overlap(compiler: Compiler, found: Any) -> timedelta | int | None:
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    return _period(compiler, found)


def _period(compiler: Compiler, found: Any) -> timedelta | None:
    if found is None:
        return None
    period = _PERIOD.match(str(found))
    if period is None or not any(period.groups()):
        raise compiler.fail(f"expected a period such as PT5M or P1D, found {shown(found)}")
    days, hours, minutes, seconds = (int(part or 0) for part in period.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def share_named(compiler: Compiler, found: Any) -> Decimal:
    """A share written in percent, as a fraction."""
    share = _SHARE.match(str(found))
    if share is None or Decimal(share[1]) > 100:
        raise compiler.fail(f"expected a share such as 50%, found {shown(found)}")
    return Decimal(share[1]) / 100
