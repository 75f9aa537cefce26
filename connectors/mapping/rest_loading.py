"""Compiles what a stream reads from a paged JSON API: ``read: {api: frappe, resource: …}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.mapping.problems import Fault
from connectors.mapping.rest_reads import Api, PagedBy, Paging, RestRead, Written
from connectors.mapping.values import shown

if TYPE_CHECKING:
    from connectors.mapping.compiler import Compiler

_PERIOD = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")
_OVERLAP = timedelta(minutes=5)
_LARGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class _Usual:
    """What an API calls key and change time, how much it hands out, and its own options."""

    key: str | None
    changed: str | None
    page: int
    options: tuple[str, ...]


_SHARED = ("api", "resource", "key", "changed", "overlap", "page")
_USUAL = {
    Api.FRAPPE: _Usual("name", "modified", 100, ("filters",)),
    Api.ODOO: _Usual("id", "write_date", 200, ("fields", "filters")),
    Api.ODATA: _Usual(None, None, 500, ("fields", "filters", "query", "track_changes")),
    Api.JSON: _Usual(None, None, 100, ("query", "records", "since", "paging")),
}
_PAGING: Mapping[PagedBy, tuple[str, ...]] = {
    PagedBy.PAGE: ("parameter", "size", "first"),
    PagedBy.OFFSET: ("parameter", "size"),
    PagedBy.CURSOR: ("parameter", "size", "next"),
    PagedBy.NEXT: ("size", "next"),
    PagedBy.LINK: ("size",),
}


def load_read(compiler: Compiler, node: Any) -> RestRead | None:
    """Compile the key ``read`` of a stream; None where it has none."""
    if node is None:
        return None
    if not isinstance(node, dict):
        raise compiler.fail(f"expected {{api: …, resource: …}}, found {shown(node)}")
    api = Api(_word(compiler.at("api"), node.get("api"), list(Api)))
    usual = _USUAL[api]
    _only(compiler, node, (*_SHARED, *usual.options), ("api", "resource"))
    changed = _text(compiler.at("changed"), node.get("changed", usual.changed))
    tracked = node.get("track_changes") is True
    if tracked and changed is not None:
        raise compiler.fail("'track_changes' follows changes by itself: leave out 'changed'")
    if tracked and node.get("filters") is not None:
        raise compiler.fail("'track_changes' takes no 'filters': leave out the one or the other")
    key = _text(compiler.at("key"), node.get("key", usual.key))
    if key is None:
        raise compiler.fail(f"needs the key 'key' for {api}: the field that names a record")
    since, written = _since(compiler.at("since"), node.get("since"), changed)
    return RestRead(
        api=api,
        resource=str(node["resource"]).strip("/"),
        key=key,
        changed=changed,
        overlap=_period(compiler.at("overlap"), node.get("overlap")),
        page=_count(compiler.at("page"), node.get("page", usual.page)),
        fields=tuple(_texts(compiler.at("fields"), node.get("fields", []))),
        filters=_filters(compiler.at("filters"), api, node.get("filters")),
        tracked=tracked,
        query=_query(compiler.at("query"), node.get("query")),
        records=_pointer(compiler.at("records"), node.get("records", "")),
        since=since,
        written=written,
        paging=_paging(compiler.at("paging"), node.get("paging")),
    )


def _since(compiler: Compiler, node: Any, changed: str | None) -> tuple[str | None, Written]:
    if node is None:
        return None, Written.ISO
    if changed is None:
        raise compiler.fail("needs 'changed' beside it: the field with a record's change time")
    _only(compiler, node, ("parameter", "written"), ("parameter",))
    found = node.get("written", "iso")
    written = Written(_word(compiler.at("written"), found, list(Written)))
    return _text(compiler.at("parameter"), node["parameter"]), written


def _paging(compiler: Compiler, node: Any) -> Paging | None:
    if node is None:
        return None
    if not isinstance(node, dict):
        raise compiler.fail(f"expected {{by: page, …}}, found {shown(node)}")
    by = PagedBy(_word(compiler.at("by"), node.get("by"), list(PagedBy)))
    options = _PAGING[by]
    _only(
        compiler, node, ("by", *options), [one for one in options if one in ("parameter", "next")]
    )
    first = node.get("first", 1)
    if not isinstance(first, int) or first not in (0, 1):
        raise compiler.at("first").fail(f"found {shown(first)}; allowed: 0, 1")
    return Paging(
        by,
        str(node.get("parameter", "")),
        _text(compiler.at("size"), node.get("size")),
        _pointer(compiler.at("next"), node.get("next", "")),
        first,
    )


def _filters(compiler: Compiler, api: Api, found: Any) -> Any:
    if found is None:
        return None
    if api == Api.ODATA:
        return _text(compiler, found)
    if not isinstance(found, list):
        raise compiler.fail(f"expected a list of [field, operator, value], found {shown(found)}")
    return found


def _query(compiler: Compiler, node: Any) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise compiler.fail(f"expected parameters with their values, found {shown(node)}")
    return {str(name): str(value) for name, value in node.items()}


def _pointer(compiler: Compiler, found: Any) -> str:
    if not isinstance(found, str) or (found and not found.startswith("/")):
        raise compiler.fail(f"expected a place such as /data/items, found {shown(found)}")
    return found


def _period(compiler: Compiler, found: Any) -> timedelta:
    if found is None:
        return _OVERLAP
    period = _PERIOD.match(str(found))
    if period is None or not any(period.groups()):
        raise compiler.fail(f"expected a period such as PT5M or P1D, found {shown(found)}")
    days, hours, minutes, seconds = (int(part or 0) for part in period.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _count(compiler: Compiler, found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 2 <= found <= _LARGEST_PAGE:
        raise compiler.fail(f"found {shown(found)}; allowed: 2 to {_LARGEST_PAGE}")
    return found


def _text(compiler: Compiler, found: Any) -> str | None:
    if found is not None and (not isinstance(found, str) or not found):
        raise compiler.fail(f"expected a text, found {shown(found)}")
    return found


def _texts(compiler: Compiler, found: Any) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise compiler.fail(f"expected a list of names, found {shown(found)}")
    return found


def _word(compiler: Compiler, found: Any, allowed: Sequence[str]) -> str:
    if found not in allowed:
        raise compiler.fail(f"found {shown(found)}; allowed: {', '.join(allowed)}")
    return str(found)


def _only(
    compiler: Compiler, node: Any, allowed: Sequence[str], required: Sequence[str] = ()
) -> None:
    if not isinstance(node, dict):
        raise compiler.fail(f"expected keys ({', '.join(allowed)}), found {shown(node)}")
    unknown = [repr(key) for key in node if key not in allowed]
    problems = [
        compiler.problem(f"unknown key {key}; allowed: {', '.join(allowed)}") for key in unknown
    ]
    problems += [compiler.problem(f"needs the key {key!r}") for key in required if key not in node]
    if problems:
        raise Fault(*problems)
