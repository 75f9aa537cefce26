"""A loaded mapping: streams, the joins between them, and the events made from their records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from connectors.mapping.rest_reads import RestRead
from connectors.mapping.table_reads import TableRead
from connectors.mapping.values import Expression, Node

#: Gives the key of a record, or None where a part of it is empty.
KeyOf = Callable[[Node], str | None]


class Missing(StrEnum):
    """What happens to a document when a joined record has not come."""

    NULL = "null"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Partial:
    """How a record that holds only changed fields is taken apart.

    ``each`` gives the objects within it of which every one names a row that it changes; their
    fields are laid over its own. ``nulled`` gives the fields that became empty; an empty field
    in the record is then one that has not changed.
    """

    each: Callable[[Node], list[Node]] | None
    nulled: Expression | None


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record: which files hold it, how they are written, and its key.

    Where ``encoding`` or ``delimiter`` is None, it is found in each file. ``records`` leads to the
    records of a JSON or XML document; ``sheet`` names that of a workbook, or counts from 1;
    ``head_row`` is the row of its column names, the first that is not empty where it is None.

    ``changed`` gives the change time in µs or None; where it is ``precise``, it is the version.
    ``joined`` says that the stream takes part in a join, so that its rows are kept.
    """

    name: str
    pattern: str | None
    format: str | None
    encoding: str | None
    delimiter: str | None
    key: KeyOf
    changed: Callable[[Node], int | None]
    precise: bool
    joined: bool
    records: str | None = None
    sheet: str | int | None = None
    head_row: int | None = None
    #: Names for the values where a record of a JSON document is an array.
    columns: tuple[str, ...] | None = None
    #: What a source of the kind ``rest`` asks for.
    read: RestRead | None = None
    #: What a source of the kind ``database`` reads.
    table: TableRead | None = None
    #: Columns that the mapping reads, and that the head of a file may not lack.
    needed: frozenset[str] = frozenset()
    #: Its records hold only the fields that have changed.
    partial: Partial | None = None
    #: Each of its files holds all its records; where more than this share of those that stand is
    #: gone at once, it is not believed.
    most_deleted: Decimal | None = None

    @property
    def compared(self) -> bool:
        """Whether its rows are told apart by comparing with those that are kept."""
        if self.most_deleted is not None:
            return True
        if self.read is not None and self.read.tracked:
            return True
        return self.table is not None and self.table.compare


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
    #: Of several records the newest counts whose first date is not behind the second one.
    as_of: tuple[Expression, Expression] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one stream that become one document: those of the same key at ``edge``.

    It is closed once a record passes ``until``, or ``timeout`` after the first record that is not
    published came; with neither it is never waited for. With ``snapshot`` only the records of its
    newest change time count, of those that pass ``where``.
    """

    edge: Edge
    order_by: Sequence[Expression]
    where: Callable[[Node], bool] | None
    until: Callable[[Node], bool] | None
    timeout: timedelta | None
    snapshot: bool


#: A contract field and the expression that fills it, its type's conversion included.
Assignment = tuple[str, Expression]


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of the document: an entry for each record of ``over`` or for each object ``within``.

    Without either, it has one entry, from the record itself.
    """

    name: str
    over: str | None
    within: Callable[[Node], list[Node]] | None
    when: Callable[[Node], bool] | None
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """How one document is made from a record of ``stream``; ``name`` is unique in the mapping.

    With ``within`` it is one for each object of a list in the record, with ``group`` one for
    several records.
    """

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
    within: Callable[[Node], list[Node]] | None = None
    group: Group | None = None


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

    def is_kept(self, event: Event) -> bool:
        """Whether the event is built from kept rows, and not at once from an arriving record."""
        stream = self.streams[event.stream]
        alone = not event.joins and event.group is None
        return not alone or stream.compared or stream.partial is not None

    def event_named(self, name: str) -> Event | None:
        """The event of that name, if the mapping still has it."""
        return next((event for event in self.events if event.name == name), None)
