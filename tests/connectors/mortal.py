"""Processes that are killed at a drawn moment, by the publisher and the session they work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

import psycopg
from hypothesis import strategies as st

from connectors.kinds import Reader
from connectors.mapping import SourceMapping
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.publish import KafkaPublisher, Outgoing
from connectors.report import SourceReport
from hub.source_settings import Source
from sinks.session import Session
from tests.connectors.sources import KilledError, LogInMemory

Result = TypeVar("Result")


class Moment(StrEnum):
    """Where a process dies."""

    BEFORE_PUBLISHING = "before publishing"
    PUBLISHING = "while publishing"
    PUBLISHED = "published"
    BEFORE_TRANSACTION = "before a transaction"
    UNCOMMITTED = "before the commit"
    COMMITTED = "committed"


_PUBLISHING = (Moment.BEFORE_PUBLISHING, Moment.PUBLISHING, Moment.PUBLISHED)
_TRANSACTION = (Moment.BEFORE_TRANSACTION, Moment.UNCOMMITTED, Moment.COMMITTED)


@dataclass
class Death:
    """Comes at the moment's occurrence behind the first ``spared``; never where it is None."""

    moment: Moment | None
    spared: int

    def is_at(self, moment: Moment) -> bool:
        """Whether it has come; asked once at each occurrence."""
        if moment != self.moment:
            return False
        self.spared -= 1
        return self.spared < 0

    def meet(self, moment: Moment) -> None:
        """Raises KilledError if it has come."""
        if self.is_at(moment):
            raise KilledError


def deaths(transactions: int) -> st.SearchStrategy[Death]:
    """Deaths of processes of about so many transactions; one that spares too many never comes."""
    return st.one_of(
        st.builds(Death, st.none(), st.just(0)),
        st.builds(Death, st.sampled_from(_PUBLISHING), st.integers(0, 2)),
        st.builds(Death, st.sampled_from(_TRANSACTION), st.integers(0, transactions)),
    )


def alive() -> Death:
    """No death."""
    return Death(None, 0)


class MortalLog(KafkaPublisher):
    """Publishes to a log in memory; may die before a batch, with its first half, or behind it."""

    def __init__(self, log: LogInMemory, death: Death) -> None:
        self._log = log
        self._death = death

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        """See ``connectors.publish.Publisher``."""
        self._death.meet(Moment.BEFORE_PUBLISHING)
        if self._death.is_at(Moment.PUBLISHING):
            self._log.publish(records[: len(records) // 2])
            raise KilledError
        refused = self._log.publish(records)
        self._death.meet(Moment.PUBLISHED)
        return refused

    def close(self) -> None:
        """There is nothing to close."""


class MortalSession(Session):
    """A session that may die before, in and behind a transaction."""

    def __init__(self, session: Session, death: Death) -> None:
        self._session = session
        self._death = death

    def run(self, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
        """See ``Session.run``."""

        def mortal(connection: psycopg.Connection[Any]) -> Result:
            result = work(connection)
            self._death.meet(Moment.UNCOMMITTED)
            return result

        self._death.meet(Moment.BEFORE_TRANSACTION)
        result = self._session.run(mortal)
        self._death.meet(Moment.COMMITTED)
        return result

    def close(self) -> None:
        """See ``Session.close``."""
        self._session.close()


def run_mortal(
    source: Source,
    mapping: SourceMapping,
    reader: Reader,
    log: LogInMemory,
    database_url: str,
    death: Death,
    *,
    final: bool,
) -> SourceReport | None:
    """One pass; None where it was killed."""
    publisher = MortalLog(log, death)
    try:
        with open_door(source, mapping, publisher, database_url) as door:
            make_pass(replace(door, session=MortalSession(door.session, death)), reader, final)
            return door.report
    except KilledError:
        return None
