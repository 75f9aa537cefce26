"""The values that pass through a mapping: a record with what was joined to it, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


#: Stands for the change time of what states none; versions begin above 0.
NO_DATE = 1


class Node:
    """One source record while documents are made from it.

    ``row`` is the record, ``joined`` what its joins found (a node, a list of nodes, or None),
    ``parent`` the node that it was joined to. ``changed`` is its change time in µs since 1970,
    or the date of its file; ``dated`` says which of the two. ``position`` counts from 1 in the list
    within a record that it comes from, 0 for a record. ``refusal`` is why its joins could not be
    worked out.
    """

    __slots__ = ("row", "place", "changed", "dated", "joined", "parent", "position", "refusal")

    def __init__(
        self,
        row: Mapping[str, Any],
        place: str = "",
        changed: int = 0,
        dated: bool = False,
        parent: Node | None = None,
        position: int = 0,
    ) -> None:
        self.row = row
        self.place = place
        self.changed = changed
        self.dated = dated
        self.parent = parent
        self.position = position
        self.joined: dict[str, Any] = {}
        self.refusal: Refusal | None = None

    def refuse(self, refusal: Refusal) -> None:
        """Have no document made of this record, nor of those that it was joined to."""
        node: Node | None = self
        while node is not None:
            node.refusal = refusal
            node = node.parent


#: Compiled from YAML: works out one value from a record.
Expression = Callable[[Node], Any]


class Refusal(Exception):
    """Why a record cannot become a document; carried inside a mapping, never out of it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that became no document: a code for machines, a sentence for people."""

    code: str
    reason: str
    place: str = ""
    document: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A document as the mapping made it, before it has its version.

    ``changed`` is the change time in µs; ``precise`` says that ``changed + step`` is the version,
    otherwise the version has yet to be settled.
    """

    document: str
    id: str
    body: dict[str, Any]
    changed: int
    precise: bool
    place: str
    step: int = 0
    row: Mapping[str, Any] = field(default_factory=dict)


def to_micros(at: datetime) -> int:
    """Whole microseconds from 1970-01-01 UTC to ``at`` (aware)."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant that many microseconds after 1970-01-01 UTC."""
    return EPOCH + timedelta(microseconds=micros)


def shown(value: Any) -> str:
    """A value as an error message shows it: quoted, and cut when long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def as_text(value: Any) -> str:
    """A value as text: booleans as in JSON, everything else as it is written."""
    if value.__class__ is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def compose_key(parts: list[Any]) -> str:
    """One text from several key values; different values never give the same text."""
    if len(parts) == 1:
        return as_text(parts[0])
    return "|".join(as_text(part).replace("\\", "\\\\").replace("|", "\\|") for part in parts)
