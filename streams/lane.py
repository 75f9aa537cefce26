"""A topic's way through a worker: batches in, one transaction per batch out, nothing lost between.

What has arrived while a transaction ran goes into the next one, however many fetches it came in:
full batches under load, immediate commits when traffic is thin. Decoding a batch that is worth it
overlaps the commit of the one before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from hub.batches import RecordBatch
from hub.metrics import BATCHES, COMMIT_SECONDS, DEAD_LETTERS, EVENTS
from sinks.positions import Caution, Fenced, Positions
from sinks.session import ThreadSessions, may_pass
from streams.ingest import Ingest, Prepared, Span, halves, prepare, records_of

log = structlog.get_logger(__name__)

#: The most records of one transaction: beyond it, latency grows and the rate does not.
BATCH_RECORDS = 3_000

#: As many records are decoded while a transaction runs; fewer wait for its end, and take with them
#: what arrives until then.
OVERLAP_RECORDS = 500

#: Offsets of one step where a worker died; only those of the step in which it died again are
#: taken one by one, so that a long backlog does not take long.
STEP = 50

#: A record that was in work at so many deaths of the process is put aside unprocessed.
DEADLY_TRIES = 2


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch on its way, and what to call once its effects are committed."""

    batch: RecordBatch
    acknowledge: Callable[[], None]

    @property
    def weight(self) -> int:
        """How many records it is waited for as; a batch of a gap alone has none, and some cost."""
        return max(len(self.batch.records), 1)


class Lane:
    """Takes the batches of one topic in order, each through ``prepare`` and one transaction.

    Args:
        topic: the topic's name.
        ingest: what a transaction does with a prepared batch.
        positions: the group's positions.
        sessions: where the transactions of a committing thread run.
        decoders: where batches are decoded.
        committers: where transactions run; its size bounds those at the same time.
        alone: held around a whole batch while any partition is taken with caution, so that a
            record which kills the process is the only one in work.
    """

    def __init__(
        self,
        topic: str,
        *,
        ingest: Ingest,
        positions: Positions,
        sessions: ThreadSessions,
        decoders: Executor,
        committers: Executor,
        alone: asyncio.Lock,
    ) -> None:
        self.topic = topic
        self._ingest = ingest
        self._positions = positions
        self._sessions = sessions
        self._decoders = decoders
        self._committers = committers
        self._alone = alone
        self._arrived: deque[Parcel] = deque()
        #: The weight of what has arrived.
        self._waiting = 0
        #: Whether a transaction runs.
        self._busy = False
        #: Told of each change of the three above.
        self._changed = asyncio.Condition()
        self._ready: asyncio.Queue[tuple[list[Parcel], Prepared | None]] = asyncio.Queue(maxsize=1)
        #: Held from when a batch is begun until its transaction begins: what is decoded takes
        #: thirty times the memory of its records, so there is one such batch beside that in work.
        self._room = asyncio.Semaphore(1)

    async def put(self, parcel: Parcel) -> None:
        """Hand a batch over; waits while enough records are on their way."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting < BATCH_RECORDS)
            self._arrived.append(parcel)
            self._waiting += parcel.weight
            self._changed.notify_all()

    async def run(self) -> None:
        """Process batches until cancelled.

        Raises:
            Exception: the machinery is broken (not the data); the process must end and begin anew
                from the positions in the database.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._prepare())
            tasks.create_task(self._commit())

    async def _prepare(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            parcels = await self._gather()
            prepared = None
            if not self._positions.cautions:
                spans = [Span.of(parcel.batch) for parcel in parcels]
                prepared = await loop.run_in_executor(self._decoders, prepare, self.topic, spans)
            await self._ready.put((parcels, prepared))

    async def _gather(self) -> list[Parcel]:
        """Take what has arrived for a transaction, as soon as it is worth one."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._waiting >= (OVERLAP_RECORDS if self._busy else 1)
            )
            parcels: list[Parcel] = []
            taken = 0
            while self._arrived and taken < BATCH_RECORDS:
                parcels.append(self._arrived.popleft())
                taken += parcels[-1].weight
            self._waiting -= taken
            self._changed.notify_all()
        return parcels

    async def _set_busy(self, busy: bool) -> None:
        async with self._changed:
            self._busy = busy
            self._changed.notify_all()

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            parcels, prepared = await self._ready.get()
            await self._set_busy(True)
            self._room.release()
            if prepared is None:
                async with self._alone:
                    await loop.run_in_executor(self._committers, self._process_carefully, parcels)
            else:
                await loop.run_in_executor(self._committers, self._process, prepared)
            for parcel in parcels:
                parcel.acknowledge()
            await self._set_busy(False)

    def _process(self, prepared: Prepared) -> None:
        """Commit a batch; if its data breaks the transaction, find the record by halving."""
        current = self._without_stale(prepared.spans)
        if not current:
            return
        if len(current) < len(prepared.spans):
            prepared = prepare(self.topic, current)
        try:
            with COMMIT_SECONDS.labels(topic=self.topic).time():
                letters = self._sessions.run(lambda tx: self._ingest.commit(tx, prepared))
        except Fenced:
            if self._without_stale(prepared.spans):
                raise
            return
        except Exception as error:
            if may_pass(error):
                raise
            # Halving tells which record it is.
            self._halve(prepared.spans, error)
            return
        BATCHES.labels(topic=self.topic).inc()
        EVENTS.labels(topic=self.topic).inc(len(records_of(prepared.spans)))
        for letter in letters:
            DEAD_LETTERS.labels(stage=letter.stage, code=letter.code).inc()

    def _halve(self, spans: Sequence[Span], error: Exception) -> None:
        if self._ingest.is_broken(error):
            raise error
        records = records_of(spans)
        if len(records) > 1:
            for half in halves(spans):
                self._process(prepare(self.topic, half))
            return
        log.warning("record_put_aside", topic=self.topic, error=repr(error))
        self._sessions.run(lambda tx: self._ingest.put_aside(tx, spans, "not_processable", error))
        DEAD_LETTERS.labels(stage="facts", code="put_aside").inc()

    def _without_stale(self, spans: Sequence[Span]) -> list[Span]:
        """Drop what was fetched under a claim that this worker has since renewed or lost."""
        claims = self._positions.claims
        return [
            span
            for span in spans
            if (claim := claims.get((span.topic, span.partition))) and claim.epoch == span.epoch
        ]

    def _process_carefully(self, parcels: Sequence[Parcel]) -> None:
        """Process in short steps, each marked in the database before it is tried."""
        for parcel in parcels:
            span = Span.of(parcel.batch)
            partition = (span.topic, span.partition)
            caution = self._positions.cautions.get(partition)
            try:
                if not self._without_stale([span]):
                    continue
                if caution is None or span.start >= caution.until:
                    self._positions.cautions.pop(partition, None)
                    self._process(prepare(self.topic, [span]))
                    continue
                for step in span.steps(STEP, singly_from=caution.marked):
                    self._process_step(step, caution)
                if span.end >= caution.until:
                    self._sessions.run(partial(self._positions.unmark, partition=partition))
                    self._positions.cautions.pop(partition, None)
            except Fenced:
                if self._without_stale([span]):
                    raise

    def _process_step(self, span: Span, caution: Caution) -> None:
        partition = (span.topic, span.partition)
        if span.records:
            first = span.records[0].offset
            if first == caution.marked and caution.tries >= DEADLY_TRIES:
                died = RuntimeError(f"the worker died {caution.tries} times with this record")
                log.error("deadly_record_put_aside", topic=self.topic, offset=first)
                self._sessions.run(
                    partial(
                        self._ingest.put_aside,
                        spans=[span],
                        code="kills_the_process",
                        error=died,
                    )
                )
                DEAD_LETTERS.labels(stage="facts", code="put_aside").inc()
                return
            self._sessions.run(
                partial(self._positions.mark, partition=partition, epoch=span.epoch, offset=first)
            )
        self._process(prepare(self.topic, [span]))


def agent_of(topic: str, lanes: Sequence[Lane]) -> Callable[[Any], Any]:
    """Return the body of the Faust agent that feeds the ``lanes`` of ``topic``.

    A partition always takes the same lane. Events are acknowledged by the lane, in order, after
    their effects are committed.
    """

    async def feed(stream: Any) -> None:
        async for event in stream.noack().events():
            batch: RecordBatch = event.value
            await lanes[batch.partition % len(lanes)].put(Parcel(batch, event.ack))

    feed.__name__ = f"lane_{topic}"
    return feed
