"""Carries deliveries of webhooks out, in one thread: by the same way into the hub as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from time import monotonic

import orjson
import psycopg
import structlog
from kafka.errors import KafkaError

from api.holding import wait_on
from api.keyed import WEBHOOK_ID, KeyedRequests
from api.problems import Problem, unavailable
from api.replies import Replied, Reply
from connectors.mapping.model import SourceMapping, Stream
from connectors.portions import Origin, Portion
from connectors.publish import KafkaPublisher, PublishError
from connectors.pushed.deliveries import WatchedDoor, take_deliveries
from connectors.pushed.records import delivered
from connectors.pushed.source_rights import SourceRights
from connectors.report import SourceReport
from hub.source_settings import HttpSource
from sinks import cursors, idempotency
from sinks.cursors import SourceBusy
from sinks.dead_letters import DeadLetter
from sinks.idempotency import Answered, Asked, Begun, Name
from sinks.session import Session, may_pass

log = structlog.get_logger(__name__)

#: After as many seconds a delivery of a paused source may come again.
PAUSED_S = 60


@dataclass(frozen=True, slots=True)
class Hook:
    """A source that calls us, with its mapping."""

    source: HttpSource
    mapping: SourceMapping


@dataclass(slots=True)
class Delivery:
    """One call of a webhook; ``asked`` names it by the sender's message id."""

    source: str
    stream: Stream
    body: bytes
    in_lines: bool
    asked: Asked
    reply: Reply
    weight: int = 1
    held_until: float | None = None


class HookDesk:
    """Works on deliveries; all but ``close`` in one thread.

    Args:
        url: of the database.
        publisher: makes a client of the broker; a new one each time that one has failed.
        hooks: by the names of their sources.
    """

    def __init__(
        self,
        url: str,
        publisher: Callable[[], KafkaPublisher],
        hooks: Mapping[str, Hook],
    ) -> None:
        self._url = url
        self._session = Session(url, name="headrace api hooks writer")
        # Whoever waits in this thread has the webhooks of all other sources wait.
        self._rights = SourceRights(url, wait_s=0.0)
        self._keyed = KeyedRequests(WEBHOOK_ID)
        self._make_publisher = publisher
        self._hooks = hooks
        self._open: dict[str, _OpenHook] = {}

    def work(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Take deliveries in and reply to each; those of a source that another process holds are
        returned, to be tried again."""
        by_source: dict[str, list[Delivery]] = {}
        for one in deliveries:
            if one.reply.is_awaited:
                by_source.setdefault(one.source, []).append(one)
            else:
                Reply.deliver([(one.reply, unavailable("nobody waited any more"))])
        return [
            put_off
            for source, several in by_source.items()
            for put_off in self._work_on(source, several)
        ]

    def close(self) -> None:
        """Close the connections."""
        for source in list(self._open):
            self._shut(source)
        self._rights.close()
        self._session.close()

    def _work_on(self, source: str, deliveries: list[Delivery]) -> list[Delivery]:
        """Those that are to be tried again."""
        try:
            Reply.deliver(self._replies(source, deliveries))
        except SourceBusy as busy:
            waiting, late = wait_on(deliveries, monotonic())
            if late:
                log.warning("deliveries_put_off", source=source, error=str(busy))
                problem = unavailable(f"{busy}: deliver it again")
                Reply.deliver((one.reply, problem) for one in late)
            return waiting
        except Exception as error:
            self._shut(source)
            if isinstance(error, PublishError | KafkaError) or may_pass(error):
                log.warning("deliveries_put_off", source=source, error=str(error))
                away = "database" if isinstance(error, psycopg.Error) else "broker"
                problem = unavailable(f"the {away} is away: deliver it again")
            else:
                log.error("delivery_failed", source=source, error=repr(error), exc_info=error)
                problem = Problem(500, "failed", "the hub could not do this; its log says why")
            Reply.deliver((one.reply, problem) for one in deliveries)
        return []

    def _replies(
        self, source: str, deliveries: list[Delivery]
    ) -> list[tuple[Reply, Replied | Problem]]:
        since = self._session.run(lambda connection: cursors.paused_at(connection, source))
        if since is not None:
            return [(one.reply, _paused(source, since)) for one in deliveries]
        asked = [one.asked for one in deliveries]
        states = self._keyed.begin(self._session, self._rights.owner(), asked)
        replies: list[tuple[Reply, Replied | Problem]] = []
        going: list[tuple[Delivery, Begun]] = []
        for one in deliveries:
            state = states[one.asked.name]
            if isinstance(state, Begun):
                going.append((one, state))
            else:
                said = (state, True) if isinstance(state, Answered) else state
                replies.append((one.reply, said))
        if not going:
            return replies
        portions = [
            delivered(
                Origin(f"http:{one.asked.name[1]}", one.stream, begun.arrived_at),
                one.body,
                in_lines=one.in_lines,
            )
            for one, begun in going
        ]
        with self._rights.of([source]) as held:
            refused = self._opened(source).take(portions, held)
        answers: dict[Name, Answered] = {}
        for (one, _), portion, letters in zip(going, portions, refused, strict=True):
            records = len(portion.rows) + len(portion.broken)
            answers[one.asked.name] = _answer(records, letters)
            replies.append((one.reply, (answers[one.asked.name], False)))
        self._session.run(lambda connection: idempotency.finish(connection, answers))
        return replies

    def _opened(self, source: str) -> _OpenHook:
        if source not in self._open:
            self._open[source] = _OpenHook(self._url, self._hooks[source], self._make_publisher())
        return self._open[source]

    def _shut(self, source: str) -> None:
        hook = self._open.pop(source, None)
        if hook is not None:
            hook.close()


class _OpenHook:
    """The connections of a source, kept from one batch to the next."""

    def __init__(self, url: str, hook: Hook, publisher: KafkaPublisher) -> None:
        self._hook = hook
        self._publisher = publisher
        self._session = Session(url, name=f"headrace source {hook.source.name} writer")

    def take(self, portions: list[Portion], held: Callable[[], None]) -> list[list[DeadLetter]]:
        """Take a batch in, while the right to the source is held."""
        source = self._hook.source.name
        door = WatchedDoor(
            source=source,
            mapping=self._hook.mapping,
            session=self._session,
            publisher=self._publisher,
            report=SourceReport(source),
            held=held,
            resting=nullcontext,
        )
        return take_deliveries(door, portions)

    def close(self) -> None:
        self._publisher.close()
        self._session.close()


def _paused(source: str, since: str) -> Problem:
    detail = (
        f"the source {source!r} is paused since {since}: deliver it again later;"
        f" `headrace sources resume {source}` has it taken"
    )
    return Problem(503, "paused", detail, retry_after=PAUSED_S)


def _answer(records: int, letters: list[DeadLetter]) -> Answered:
    """202 in any case: what could not be taken is kept, and to deliver it again brings nothing."""
    said = {
        "status": "kept" if letters else "accepted",
        "records": records,
        "rejected": [
            {"place": one.place, "code": one.code, "detail": one.reason} for one in letters
        ],
    }
    return Answered(202, orjson.dumps(said))
