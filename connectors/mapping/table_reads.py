"""What a stream reads from a database, as its mapping declares it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TableRead:
    """Which rows of a table a stream reads, and how it tells what is new.

    One of three ways: by ``changed``, a column that grows with every change; by ``compare``, the
    whole table against what it was; by ``outbox``, a transactional outbox whose rows of this
    aggregate type are the stream's records (``changed`` is then its order).

    ``query`` stands in place of a table. ``key`` are the columns that name a row (none: the
    primary key). ``overlap`` before the newest change is read again, for rows that were committed
    late: a time, or a number where the column counts (None: 5 minutes, 1,000). A source that is
    followed has its overlap, or the whole table, read again ``every`` so often. A comparison in
    which more than the share ``most_deleted`` of the rows is gone is not believed.
    """

    query: str | None = None
    key: tuple[str, ...] = ()
    changed: str | None = None
    overlap: timedelta | int | None = None
    every: timedelta = timedelta(seconds=10)
    compare: bool = False
    most_deleted: Decimal = Decimal("0.5")
    outbox: str | None = None
