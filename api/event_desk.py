"""Carries requests to publish out: batches of them in one thread, each batch committed at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import psycopg
import structlog
from kafka.errors import KafkaError

from api import progress
from api.answers import Fate, answer, outcome
from api.event_reading import Events, refused
from api.holding import wait_on
from api.keyed import IDEMPOTENCY_KEY, KeyedRequests
from api.originals import Original, originals
from api.problems import Problem, Refused, unavailable
from api.refused_events import KeptEvents, Sent, letter_of
from api.replies import Replied, Reply
from connectors.door import Connection
from connectors.mapping.values import Rejection
from connectors.publish import KafkaPublisher, PublishError
from connectors.pushed.intake import Result, take_documents
from connectors.pushed.settling import By, Pushed
from connectors.pushed.source_rights import SourceRights
from hub import metrics
from sinks import dead_letters, idempotency
from sinks.cursors import SourceBusy
from sinks.dead_letters import DeadLetter, Kept
from sinks.idempotency import Answered, Asked, Begun
from sinks.session import Session, may_pass

log = structlog.get_logger(__name__)

#: Records of a batch: enough to pay for its acknowledgement, few enough to be done in an instant.
AT_ONCE = 500


@dataclass(slots=True)
class Publication:
    """A request to publish, as it was ``sent``; ``asked`` where it has an Idempotency-Key.

    ``read`` gives its events, and raises ``Problem`` where the request as a whole cannot be taken.
    Small ones are read by the batch in the thread that publishes: one after the other costs a
    third of what it costs between other work.
    """

    sent: Sent
    read: Callable[[], Events]
    asked: Asked | None
    reply: Reply
    known: Events | None = None
    fates: list[Fate] = field(default_factory=list)
    begun: bool = False
    held_until: float | None = None

    @property
    def events(self) -> Events:
        """Its events, once they were read."""
        assert self.known is not None
        return self.known

    @property
    def weight(self) -> int:
        """How many of its events are still to be taken; one where nobody has read them."""
        return 1 if self.known is None else max(1, len(self.known.handed) - len(self.fates))

    @property
    def is_done(self) -> bool:
        """Whether the fate of each event is known."""
        return len(self.fates) == len(self.events.handed)

    @property
    def has_refused(self) -> bool:
        """Whether some of its events could not be read."""
        return any(isinstance(one, Refused) for one in self.events.handed)

    def answered(self) -> Answered:
        """The answer, once it is done."""
        return answer(self.events, self.fates)

    def needs(self, source: str) -> bool:
        """Whether versions of ``source`` are to be settled for what is still to be taken."""
        return any(
            isinstance(one, Pushed) and one.source == source and one.by is not By.VERSION
            for one in self.events.handed[len(self.fates) :]
        )


@dataclass(slots=True)
class _Share:
    """What a batch takes of a request: events from ``first`` on, and where each documents is."""

    publication: Publication
    handed: Sequence[Pushed | Refused]
    fates: list[Fate] = field(default_factory=list)

    @property
    def ends(self) -> bool:
        """Whether it is the last of the request."""
        taken = len(self.publication.fates) + len(self.handed)
        return taken == len(self.publication.events.handed)

    def answered(self) -> Answered:
        """The answer to the request, of which it is the last."""
        return answer(self.publication.events, [*self.publication.fates, *self.fates])

    def letters(self) -> list[DeadLetter]:
        """The dead letters of what was refused of it."""
        publication = self.publication
        first, events = len(publication.fates), publication.events
        return [
            letter_of(publication.sent, index, reason, _original(publication, index, reason))
            for index, (handed, fate) in enumerate(zip(self.handed, self.fates, strict=True), first)
            if (reason := _refused(handed, fate, events.pointers[index])) is not None
        ]


class EventDesk:
    """Works on publications; all but ``close`` in one thread.

    Args:
        session: of that thread.
        rights: to settle versions; without waiting, since whoever waits has all others wait.
        publisher: makes a client of the broker; a new one each time that one has failed.
        kept: bounds what is kept of events that are refused.
        at_once: records of a batch.
    """

    def __init__(
        self,
        session: Session,
        rights: SourceRights,
        publisher: Callable[[], KafkaPublisher],
        kept: KeptEvents | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._session = session
        self._rights = rights
        self._keyed = KeyedRequests(IDEMPOTENCY_KEY)
        self._kept = KeptEvents() if kept is None else kept
        self._at_once = at_once
        self._make_publisher = publisher
        self._publisher: KafkaPublisher | None = None

    def work(self, publications: list[Publication]) -> list[Publication]:
        """Take a share of each publication and reply to those that are done; the others are
        returned, also those of a source that another process holds."""
        wanted = _read([one for one in publications if one.begun or _is_awaited(one)])
        try:
            going = self._begin(wanted)
            try:
                self._take(going)
            except SourceBusy as busy:
                waiting = self._put_off([one for one in going if one.needs(busy.source)], busy)
                others = [one for one in going if not one.needs(busy.source)]
                return [*waiting, *(self.work(others) if others else ())]
        except Exception as error:  # noqa: BLE001 - each gets its problem, and the door goes on
            if len(wanted) > 1 and not _passes(error):
                # One of them breaks the work of all.
                rest: list[Publication] = []
                for one in wanted:
                    rest += self.work([one])
                return rest
            self._fail(wanted, error)
            return []
        return [one for one in going if not one.is_done]

    def close(self) -> None:
        """Close the connections."""
        self._drop_publisher()
        self._rights.close()
        self._session.close()

    def _begin(self, publications: list[Publication]) -> list[Publication]:
        """Those that are to be worked on; the others have their replies."""
        asked = [one.asked for one in publications if one.asked is not None and not one.begun]
        states = self._keyed.begin(self._session, self._rights.owner(), asked) if asked else {}
        going: list[Publication] = []
        replies: list[tuple[Reply, Replied | Problem]] = []
        for one in publications:
            state = states.get(one.asked.name) if one.asked and not one.begun else None
            if isinstance(state, Problem):
                replies.append((one.reply, state))
                continue
            if isinstance(state, Answered):
                replies.append((one.reply, (state, True)))
                continue
            full = self._full(one)
            if full is not None:
                replies.append((one.reply, full))
                continue
            if isinstance(state, Begun):
                _came_at(one.events, state.arrived_at)
                one.fates = progress.read(state.taken, one.events.handed)
            one.begun = True
            going.append(one)
        Reply.deliver(replies)
        return going

    def _take(self, publications: list[Publication]) -> None:
        shares: list[_Share] = []
        room = self._at_once
        for one in publications:
            first = len(one.fates)
            shares.append(_Share(one, one.events.handed[first : first + max(1, room)]))
            room -= len(shares[-1].handed)
        documents = [each for share in shares for each in share.handed if isinstance(each, Pushed)]
        keeps = any(
            share.publication.asked is not None
            or any(isinstance(each, Refused) for each in share.handed)
            for share in shares
        )

        def finish(connection: Connection, results: Sequence[Result]) -> None:
            _spread(shares, results)
            _keep(connection, shares)

        results: Sequence[Result] = []
        if documents:
            if self._publisher is None:
                self._publisher = self._make_publisher()
            results = take_documents(
                self._session, self._publisher, self._rights, documents, finish if keeps else None
            )
        elif keeps:
            self._session.run(lambda connection: finish(connection, []))
        _spread(shares, results)
        letters = [letter for share in shares for letter in share.letters()]
        if letters and not keeps:
            # Only the log could tell that it cannot take them.
            self._session.run(lambda connection: finish(connection, results))
        self._note(letters)
        replies: list[tuple[Reply, Replied | Problem]] = []
        for share in shares:
            share.publication.fates += share.fates
            _count(share)
            if share.publication.is_done:
                replies.append((share.publication.reply, (share.publication.answered(), False)))
        Reply.deliver(replies)

    def _full(self, one: Publication) -> Problem | None:
        if one.begun or not one.has_refused:
            return None
        return self._kept.problem(one.sent, self._count_kept)

    def _count_kept(self, stage: str) -> Kept:
        return self._session.run(lambda connection: dead_letters.kept_of(connection, stage))

    def _note(self, letters: Sequence[DeadLetter]) -> None:
        self._kept.note(letters)
        for letter in letters:
            metrics.DEAD_LETTERS.labels(letter.stage, letter.code).inc()

    def _put_off(self, publications: list[Publication], busy: SourceBusy) -> list[Publication]:
        """Those that may be tried again; the others have waited long enough, and are told so."""
        waiting, late = wait_on(publications, monotonic())
        if late:
            self._fail(late, busy)
        return waiting

    def _fail(self, publications: list[Publication], error: Exception) -> None:
        if isinstance(error, PublishError | KafkaError):
            self._drop_publisher()
        if _passes(error):
            log.warning("publications_put_off", count=len(publications), error=str(error))
            problem = unavailable(_why(error))
        else:
            log.error("publication_failed", error=repr(error), exc_info=error)
            problem = _failed()
        Reply.deliver((one.reply, problem) for one in publications)

    def _drop_publisher(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None


def _is_awaited(publication: Publication) -> bool:
    if publication.reply.is_awaited:
        return True
    Reply.deliver([(publication.reply, unavailable("nobody waited any more"))])
    return False


def _read(publications: list[Publication]) -> list[Publication]:
    """Those whose events are known now; the others have their replies."""
    known = []
    replies: list[tuple[Reply, Replied | Problem]] = []
    for one in publications:
        try:
            if one.known is None:
                one.known = one.read()
            known.append(one)
        except Problem as problem:
            replies.append((one.reply, problem))
        except Exception as error:
            log.error("reading_failed", error=repr(error), exc_info=error)
            replies.append((one.reply, _failed()))
    Reply.deliver(replies)
    return known


def _failed() -> Problem:
    return Problem(500, "failed", "the hub could not do this; its log says why")


def _passes(error: Exception) -> bool:
    return isinstance(error, PublishError | KafkaError | SourceBusy) or may_pass(error)


def _why(error: Exception) -> str:
    if isinstance(error, SourceBusy):
        return f"{error}: try again"
    away = "database" if isinstance(error, psycopg.Error) else "broker"
    return f"the {away} is away: try again, which is safe"


def _came_at(events: Events, arrived_at: int) -> None:
    """Versions that count from their arrival count from the first, when a request comes again."""
    for one in events.handed:
        if isinstance(one, Pushed) and one.by is By.ARRIVAL:
            one.draft.changed = arrived_at


def _spread(shares: Sequence[_Share], results: Sequence[Result]) -> None:
    """Give each event of the shares its fate."""
    each = iter(results)
    for share in shares:
        share.fates = [one if isinstance(one, Refused) else next(each) for one in share.handed]


def _keep(connection: Connection, shares: Sequence[_Share]) -> None:
    """Keep what was refused, and what becomes of requests with a key."""
    for share in shares:
        dead_letters.add(connection, share.letters())
    keyed = [(share.publication.asked, share) for share in shares]
    idempotency.proceed(
        connection,
        {
            asked.name: progress.written(share.handed, share.fates)
            for asked, share in keyed
            if asked is not None and not share.ends
        },
    )
    answers = {
        asked.name: share.answered() for asked, share in keyed if asked is not None and share.ends
    }
    idempotency.finish(connection, answers)


def _refused(handed: Pushed | Refused, fate: Fate, pointer: str) -> Refused | None:
    """Why an event is refused, if it is."""
    if isinstance(fate, Rejection):
        assert isinstance(handed, Pushed)
        return refused(fate, handed.draft.id, pointer)
    return fate if isinstance(fate, Refused) else None


def _original(publication: Publication, index: int, reason: Refused) -> Original:
    if reason.original is not None:
        return reason.original
    sent, single = publication.sent, publication.events.single
    return originals(sent.media_type, sent.body, single=single)[index]


def _count(share: _Share) -> None:
    counted = Counter(
        (
            (handed.draft.document if isinstance(handed, Pushed) else handed.document) or "unread",
            outcome(fate),
        )
        for handed, fate in zip(share.handed, share.fates, strict=True)
    )
    for labels, count in counted.items():
        metrics.HTTP_EVENTS.labels(*labels).inc(count)
