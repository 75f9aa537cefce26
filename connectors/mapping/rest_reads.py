"""What a stream reads from a paged JSON API, as its mapping declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class Api(StrEnum):
    """The APIs that are known; ``json`` is any other, with its paging declared."""

    FRAPPE = "frappe"
    ODOO = "odoo"
    ODATA = "odata"
    JSON = "json"


class PagedBy(StrEnum):
    """How an API hands out what does not fit in one reply."""

    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"
    NEXT = "next"
    LINK = "link"


class Written(StrEnum):
    """How an instant is written in a parameter."""

    ISO = "iso"
    DATE = "date"
    EPOCH = "epoch"
    EPOCH_MS = "epoch_ms"


@dataclass(frozen=True, slots=True)
class Paging:
    """How the general form pages.

    ``parameter`` takes the page number, the offset or the cursor, ``size`` the records wanted;
    ``next`` is the place in the reply (a JSON pointer) of the next cursor or address.
    """

    by: PagedBy
    parameter: str = ""
    size: str | None = None
    next: str = ""
    first: int = 1


@dataclass(frozen=True, slots=True)
class RestRead:
    """Which records of an API a stream reads.

    ``key`` is the field that names a record, ``changed`` the one that says when it changed (None:
    everything is read each time). ``overlap`` before the newest change that was seen is read
    again, for records that were committed late. ``page`` records are asked for at once.
    ``filters`` stands as the API writes filters. ``since`` is the parameter of the general form
    that takes the change time, and ``records`` the place of its list (a JSON pointer).
    """

    api: Api
    resource: str
    key: str
    changed: str | None
    overlap: timedelta
    page: int
    fields: tuple[str, ...] = ()
    filters: Any = None
    tracked: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    records: str = ""
    since: str | None = None
    written: Written = Written.ISO
    paging: Paging | None = None
