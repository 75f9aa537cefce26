"""A part of what an API holds, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.rest.moments import Moment

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Records that changed from ``begin`` on and before ``end`` (None: without a limit).

    They come in the order of their change times, or, ``by_key``, of their keys, behind ``after``.
    """

    begin: Moment | None = None
    end: Moment | None = None
    by_key: bool = False
    after: Any = None


class RestApi(Protocol):
    """One resource of an API."""

    #: Whether it answers a span in its order, and with the first ``page`` records at most; else it
    #: hands out all records of a span, in whatever order.
    ordered: bool

    def pages(self, span: Span) -> Iterator[list[Row]]:
        """The records of a span, one answer at a time.

        Raises:
            SourceError: the API cannot be read.
        """

    def whole(self, row: Row) -> Row | None:
        """A record of a list with all its parts; None if it is no longer there."""
