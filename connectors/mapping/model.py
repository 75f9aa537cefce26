"""A loaded mapping: streams, the joins between them, and the events made from their records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from connectors.mapping.values import Expression, Node

#: Gives the key of a record, or None where a part of it is empty.
KeyOf = Callable[[Node], str | None]


class Missing(StrEnum):
    """What happens to a document when a joined record has not come."""

    NULL = "null"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record: which files hold it, how they are written, and its key.

    ``changed`` gives the change time in µs or None; where it is ``precise``, it is the version.
    ``joined`` says that the stream takes part in a join, so that its rows are kept.
    """

    name: str
    pattern: str | None
    format: str | None
    encoding: str
    delimiter: str
    key: KeyOf
    changed: Callable[[Node], int | None]
    precise: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """By which keys the records of two streams find each other.

    ``child_key`` is None where the child is found by its own key.
    """

    name: str
    parent: str
    child: str
    parent_key: KeyOf
    child_key: KeyOf | None


@dataclass(frozen=True, slots=True)
class Join:
    """One join of a document: what it finds, by which edge, and what depends on it in turn.

    ``origin`` is the join whose record gives the key (None: the record that the join hangs on).
    """

    alias: str
    edge: Edge
    origin: str | None
    many: bool
    missing: Missing
    max_wait: timedelta | None
    where: Callable[[Node], bool] | None
    order_by: Sequence[Expression]
    joins: tuple[Join, ...]


#: A contract field and the expression that fills it, its type's conversion included.
Assignment = tuple[str, Expression]


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of the document: an entry for each record of ``over`` or for each object ``within``.

    Without either, it has one entry, from the record itself.
    """

    name: str
    over: str | None
    within: Expression | None
    when: Callable[[Node], bool] | None
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """How one document is made from a record of ``stream``; ``name`` is unique in the mapping."""

    name: str
    document: str
    stream: str
    key: KeyOf
    when: Callable[[Node], bool] | None
    joins: tuple[Join, ...]
    assignments: tuple[Assignment, ...]
    lists: tuple[Entries, ...]
    #: Sets occurred_at itself; else the change time stands in.
    timed: bool
    #: The only event of its document type, so that a record that no longer passes withdraws it.
    alone: bool


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """A mapping, compiled for one source of the configuration.

    ``profile`` is the name that it gives itself; ``digest`` identifies its text.
    """

    origin: str
    profile: str
    digest: str
    source: str
    zone: ZoneInfo
    streams: dict[str, Stream]
    edges: dict[str, Edge]
    events: tuple[Event, ...]

    @property
    def version(self) -> str:
        """What a dead letter says of the mapping that refused the record."""
        return f"{self.profile} {self.digest[:12]}"

    def events_from(self, stream: str) -> list[Event]:
        """The events whose records come from ``stream``."""
        return [event for event in self.events if event.stream == stream]

    def event_named(self, name: str) -> Event | None:
        """The event of that name, if the mapping still has it."""
        return next((event for event in self.events if event.name == name), None)
