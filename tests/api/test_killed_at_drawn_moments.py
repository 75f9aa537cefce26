"""Wherever the door dies, what is sent until it is answered has one effect, as it was answered."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.authentication import ANYBODY
from api.event_desk import AT_ONCE, EventDesk, Publication
from api.event_reading import Events
from api.problems import Problem
from api.refused_events import Sent
from api.replies import Reply
from connectors.mapping.values import to_micros
from connectors.pushed.settling import By, Pushed, pushed
from connectors.pushed.source_rights import SourceRights
from sinks.idempotency import Answered, Asked
from sinks.session import Session
from tests.connectors.mortal import Death, MortalLog, MortalSession, alive, deaths
from tests.connectors.sources import KilledError, LogInMemory, decoded

pytestmark = pytest.mark.stack

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SENT = Sent(ANYBODY, "test", 0, "customer", "application/json", (), b"[]")
#: Well beyond the time that the database needs to notice that a process is gone.
PATIENCE_S = 20.0


class Drawn(NamedTuple):
    """A request: the customers in it, each with a content, what settles their versions, when they
    changed there.

    One whose versions are settled by arrival has a key: only so is it known when it comes again.
    """

    by: By
    customers: tuple[tuple[int, int], ...]
    changed: int
    keyed: bool


class Delivery(NamedTuple):
    """Requests of one moment, and how the processes end that work on them before one lives on.

    Their senders may come back in the opposite order (``turned``).
    """

    requests: list[Drawn]
    together: bool
    turned: bool
    deaths: list[Death]


DELIVERIES = st.lists(
    st.builds(
        Delivery,
        st.lists(
            st.builds(
                Drawn,
                st.sampled_from(By),
                st.lists(
                    st.tuples(st.integers(1, 3), st.just(0)), min_size=1, max_size=3, unique=True
                ).map(tuple),
                st.integers(0, 1),
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        ),
        st.booleans(),
        st.booleans(),
        st.lists(deaths(5), max_size=3),
    ),
    min_size=1,
    max_size=3,
)


class Request(NamedTuple):
    """A drawn request with the number that its contents have in their names."""

    number: int
    drawn: Drawn

    def events(self, source: str, arrived_at: int) -> Events:
        """As they are read when the request comes."""
        handed = [self._event(source, *one, arrived_at) for one in self.drawn.customers]
        return Events(handed, [f"/{index}" for index in range(len(handed))], False)

    def asked(self, caller: str, arrived_at: int) -> Asked | None:
        """By its key, if it has one."""
        if not self.drawn.keyed and self.drawn.by is not By.ARRIVAL:
            return None
        key = str(self.number)
        return Asked((caller, key), key.encode(), arrived_at)

    def named(self, content: int) -> str:
        """The name that a customer has in this content."""
        return f"{self.number}.{content}"

    def _event(self, source: str, customer: int, content: int, arrived_at: int) -> Pushed:
        by = self.drawn.by
        body = {
            "source": source,
            # What a source states of a customer it states of all versions of that one.
            "id": f"{by.value}-{customer}",
            "occurred_at": FIRST,
            "name": self.named(content),
        }
        if by is By.VERSION:
            body["version"] = self.number
        elif by is By.CHANGE:
            body["recorded_at"] = FIRST + timedelta(seconds=self.drawn.changed)
        made = pushed("customer", body, arrived_at, "http:test:0")
        assert isinstance(made, Pushed), made
        return made


class Told(NamedTuple):
    """A version that was answered, and the content that it was answered for."""

    id: str
    version: int
    name: str


class Doors:
    """Processes of the door, one after the other, before one database and one log."""

    def __init__(self, database_url: str, name: str, at_once: int = AT_ONCE) -> None:
        self.log = LogInMemory()
        self._url = database_url
        self._name = name
        self._at_once = at_once
        self._clock = count(to_micros(FIRST))

    def answers(
        self, requests: Sequence[Request], together: bool, death: Death
    ) -> dict[Request, Answered]:
        """What one process answers to these requests until it dies."""
        session = MortalSession(Session(self._url, name="test"), death)
        publisher = MortalLog(self.log, death)
        rights = SourceRights(self._url, wait_s=0.0)
        desk = EventDesk(session, rights, lambda: publisher, at_once=self._at_once)
        try:
            return asyncio.run(self._answers(desk, requests, together))
        finally:
            desk.close()

    async def _answers(
        self, desk: EventDesk, requests: Sequence[Request], together: bool
    ) -> dict[Request, Answered]:
        sent = {request: self._publication(request) for request in requests}
        batches = [list(sent.values())] if together else [[one] for one in sent.values()]
        with suppress(KilledError):
            for batch in batches:
                while batch:
                    batch = desk.work(batch)
        # Replies are given in the loop.
        await asyncio.sleep(0)
        answered = {}
        for request, publication in sent.items():
            if publication.reply.is_awaited:
                continue
            try:
                answered[request], _ = await publication.reply.within(1)
            except Problem as problem:
                # What a process that was killed just now has begun is still held as its own.
                assert problem.status in (409, 503), problem
        return answered

    def _publication(self, request: Request) -> Publication:
        arrived_at = next(self._clock)
        events = request.events(self._name, arrived_at)
        return Publication(SENT, lambda: events, request.asked(self._name, arrived_at), Reply())

    def until_answered(
        self,
        requests: Sequence[Request],
        ends: Sequence[Death] = (),
        *,
        together: bool = True,
        turned: bool = False,
    ) -> dict[Request, list[Told]]:
        """Send requests again to one process after the other until all are answered."""
        order = list(requests)
        told: dict[Request, list[Told]] = {}
        dying = iter(ends)
        deadline = time.monotonic() + PATIENCE_S
        while waiting := [one for one in order if one not in told]:
            assert time.monotonic() < deadline, f"{len(waiting)} requests are never answered"
            answered = self.answers(waiting, together, next(dying, alive()))
            told |= {request: versions(request, one) for request, one in answered.items()}
            if turned:
                order.reverse()
        return told

    def published(self) -> set[Told]:
        """What stands in the log, each content of a version once."""
        documents = map(decoded, self.log.records)
        return {Told(one["id"], one["version"], one["name"]) for one in documents}


def versions(request: Request, answered: Answered) -> list[Told]:
    assert answered.status == 202, answered.answer
    items: Sequence[Mapping[str, str | int]] = orjson.loads(answered.answer)["items"]
    return [
        Told(str(one["id"]), int(one["version"]), request.named(content))
        for one, (_, content) in zip(items, request.drawn.customers, strict=True)
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES)
def test_a_request_that_is_sent_until_it_is_answered_has_one_effect_wherever_the_door_died(
    database_url: str, deliveries: list[Delivery]
) -> None:
    doors = Doors(database_url, uuid.uuid4().hex)
    numbers = count(1)
    told: dict[Request, list[Told]] = {}
    for delivery in deliveries:
        requests = [Request(next(numbers), drawn) for drawn in delivery.requests]
        told |= doors.until_answered(
            requests, delivery.deaths, together=delivery.together, turned=delivery.turned
        )
    effects = [one for several in told.values() for one in several]
    assert len({(one.id, one.version) for one in effects}) == len(effects)
    assert doors.published() == set(effects)
    assert doors.until_answered(list(told)) == told
    assert doors.published() == set(effects)


REPEATED = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 2)), min_size=2, max_size=9)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers=REPEATED, at_once=st.integers(1, 4), ends=st.lists(deaths(9), max_size=4))
def test_a_request_with_a_key_goes_on_behind_the_shares_that_were_taken_before_the_door_died(
    database_url: str, customers: list[tuple[int, int]], at_once: int, ends: list[Death]
) -> None:
    doors = Doors(database_url, uuid.uuid4().hex, at_once)
    request = Request(1, Drawn(By.ARRIVAL, tuple(customers), 0, keyed=True))
    told = doors.until_answered([request], ends)
    effects = told[request]
    # A content that is given up and comes back has two versions, and stands as the request says.
    standing = {one.id: one for one in effects}
    assert all(one.version <= standing[one.id].version for one in effects)
    assert len({(one.id, one.version) for one in effects}) == len(set(effects))
    assert doors.published() == set(effects)
    assert doors.until_answered([request]) == told
    assert doors.published() == set(effects)
