"""What passes from the facts to the streams: documents that changed, and views that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import psycopg

from sinks.dead_letters import DeadLetter
from sinks.staging import Staging


class Origin(Protocol):
    """Where a record stood in the log, with its original bytes (aiokafka's record is one)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Change(NamedTuple):
    """A document that the facts took: its newest version.

    ``first`` is true where no version of it was there before, so that no stream can hold a
    contribution of it. ``document`` is empty for an erased one (a tombstone), and in a rebuild of a
    stream that asks only whose it is (`Stream.customers_of`). ``customer`` is the key of the
    customer that it counts with, ``customer_before`` that of the version before; None where there
    is none. (A named tuple, since one is made per event and a frozen dataclass takes three times as
    long.)
    """

    key: str
    document: dict[str, Any]
    first: bool
    origin: Origin | None
    customer: str | None = None
    customer_before: str | None = None

    @property
    def gone(self) -> bool:
        """Whether the document counts on no date (deleted or erased)."""
        return not self.document or bool(self.document["deleted"])


@dataclass(slots=True)
class Marks:
    """What views must be published anew: the outbox rows of one transaction, by subject.

    A subject is what views are about (``customer``, ``demand``); all views of a marked key follow.
    """

    keys: dict[str, set[str]] = field(default_factory=dict)

    def add(self, subject: str, keys: Iterable[str]) -> None:
        """Mark ``keys`` of ``subject``."""
        self.keys.setdefault(subject, set()).update(keys)


class Stream(Protocol):
    """A standing question: what it keeps follows the documents of the facts."""

    @property
    def name(self) -> str:
        """What it is called in dead letters and commands."""

    @property
    def documents(self) -> frozenset[str]:
        """The types of documents that it follows."""

    @property
    def customers_of(self) -> frozenset[str]:
        """Those of them of which it asks only whose they are (`Change.customer`)."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables in which it keeps what it follows, all of them its own."""

    @property
    def views(self) -> Mapping[str, str]:
        """The view topics that show what it keeps, with the subject of a mark by a view's key."""

    @property
    def staging(self) -> tuple[Staging, ...]:
        """The staging tables that its session must have."""

    def apply(
        self,
        connection: psycopg.Connection[Any],
        document: str,
        changes: list[Change],
        marks: Marks,
    ) -> list[DeadLetter]:
        """Take ``changes`` of one type of document into the stream's tables, in the transaction.

        Returns:
            A dead letter for each record that a rule failed on; it keeps its former contribution.
        """

    def finish(self, connection: psycopg.Connection[Any]) -> None:
        """Do what is done once in a transaction, behind all that `apply` took in it."""


def refusal(stream: str, document: str, change: Change, error: Exception) -> DeadLetter:
    """Return the dead letter of a record on which the rules of ``stream`` failed."""
    origin = change.origin
    return DeadLetter(
        stage=f"stream:{stream}",
        document=document,
        code="rule_failed",
        reason=f"{document} {change.key}: the rules of {stream} failed on it: {error}",
        error=repr(error),
        place=change.key,
        topic=origin.topic if origin else None,
        partition=origin.partition if origin else None,
        position=origin.offset if origin else None,
        key=origin.key if origin else change.key.encode(),
        value=origin.value if origin else None,
        headers=tuple(origin.headers) if origin else (),
    )
