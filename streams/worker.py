"""A worker: one Faust app with a lane per topic, run until told to stop or something breaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import structlog

from hub.garbage import collecting_rarely
from hub.kafka import Cluster, KafkaError, TopicMissing, log_ranges, topic_ids
from hub.money import use_exact_arithmetic
from hub.policy import Policy
from hub.transport import BatchApp, new_app
from schemas.catalogue import TOPICS
from sinks.database import WORKER_SESSION, connect
from sinks.facts import FACTS
from sinks.positions import GROUP, LogState, Partition, Positions
from sinks.session import Session, ThreadSessions, may_pass
from streams.catalogue import streams
from streams.demand.stream import publish_chances
from streams.ingest import Ingest
from streams.lane import Lane, agent_of

log = structlog.get_logger(__name__)

#: How often a worker looks whether its topics are still the same.
CHECK_TOPICS_S = 5.0

#: Transactions of one worker at the same time: while one waits for the database, another computes.
TRANSACTIONS = 3

#: Ways of a topic through a worker, each with a part of its partitions: so that two transactions
#: can overlap also where only one topic has records.
LANES = 2


class Worker:
    """One worker process's machinery.

    Args:
        cluster: the broker.
        database_url: the database.
        policy: the parameters of the rules.
        slot: the worker's place, 0 and up; names its static group membership.
        data: the hub's data folder.
        topics: the topics to consume; all event topics by default.
    """

    def __init__(
        self,
        cluster: Cluster,
        database_url: str,
        policy: Policy,
        *,
        slot: int,
        data: Path,
        topics: Iterable[str] | None = None,
        group: str = GROUP,
    ) -> None:
        self._url = database_url
        name = f"{WORKER_SESSION}{slot}"
        self._positions = Positions(
            lambda: connect(database_url, name=name),
            lambda partitions: read_log(cluster, partitions),
            group,
            str(slot),
        )
        datadir = data / "faust" / str(slot)
        datadir.mkdir(parents=True, exist_ok=True)
        self._app: BatchApp = new_app(
            group=group,
            brokers=cluster.bootstrap_servers,
            positions=self._positions,
            datadir=str(datadir),
            instance=f"{group}-{slot}",
            security=cluster.security,
        )
        all_streams = streams(policy)
        ingest = Ingest(all_streams, self._positions)
        tables = [FACTS, *(table for stream in all_streams for table in stream.staging)]
        sessions = ThreadSessions(database_url, name=name, tables=tables)
        self._decoders = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._committers = ThreadPoolExecutor(TRANSACTIONS, thread_name_prefix="commit")
        setup = Session(database_url, name=name)
        setup.run(lambda connection: publish_chances(connection, policy))
        setup.close()
        alone = asyncio.Lock()
        consumed = topics or (name for name, topic in TOPICS.items() if topic.kind == "event")
        self._lanes: list[Lane] = []
        for topic in consumed:
            lanes = [
                Lane(
                    topic,
                    ingest=ingest,
                    positions=self._positions,
                    sessions=sessions,
                    decoders=self._decoders,
                    committers=self._committers,
                    alone=alone,
                )
                for _ in range(LANES)
            ]
            self._lanes += lanes
            self._app.agent(self._app.batches(topic), name=f"lane.{topic}")(agent_of(topic, lanes))

    async def run(self, stop: asyncio.Event) -> None:
        """Process until ``stop`` is set.

        Raises:
            BaseException: the worker cannot go on; the process must end, and a new one resumes
                from the database.
        """
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._app.on_failure = lambda error: _fail(failed, error)
        tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]
        tasks.append(asyncio.create_task(self._check_topics()))
        for task in tasks:
            task.add_done_callback(lambda done: _fail_of(failed, done))
        await self._app.start()
        stopping = asyncio.create_task(stop.wait())
        watched = asyncio.create_task(self._app.wait_until_stopped())
        try:
            ends: set[asyncio.Future[Any]] = {stopping, failed, watched}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
            if watched.done() and not stop.is_set():
                raise RuntimeError(f"Faust stopped by itself: {self._app.crash_reason!r}")
            await self._app.stop()
        finally:
            for task in [*tasks, stopping, watched]:
                task.cancel()
            self._committers.shutdown(wait=False, cancel_futures=True)
            self._decoders.shutdown(wait=False, cancel_futures=True)

    def leave_untried(self) -> None:
        """Say that no record is to blame for this worker's end, if the database still listens."""
        try:
            self._positions.leave_untried()
        except psycopg.Error as error:
            log.info("partitions_not_released", error=str(error).strip())

    async def _check_topics(self) -> None:
        """Run until a topic turns out to be another one.

        Raises:
            PositionError: it does.
        """
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CHECK_TOPICS_S)
            try:
                await loop.run_in_executor(None, self._positions.check_topics)
            except (KafkaError, TopicMissing) as error:
                log.info("topics_not_checked", error=str(error))


def _fail(failed: asyncio.Future[None], error: BaseException) -> None:
    if not failed.done():
        failed.set_exception(error)


def _fail_of(failed: asyncio.Future[None], done: asyncio.Task[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _fail(failed, error)


def _first_of(error: Exception) -> Exception:
    """Return what a group of tasks failed of."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def read_log(cluster: Cluster, partitions: Iterable[Partition]) -> Mapping[Partition, LogState]:
    """Ask the broker for the id and bounds of each partition's log."""
    wanted = list(partitions)
    with cluster.admin() as admin:
        ids = topic_ids(cluster, {topic for topic, _ in wanted}, admin)
        ranges = log_ranges(cluster, wanted, admin)
    return {
        partition: LogState(ids[partition[0]], begin, end)
        for partition, (begin, end) in ranges.items()
    }


@collecting_rarely()
def run_worker(
    cluster: Cluster, database_url: str, policy: Policy, *, slot: int, data: Path
) -> int:
    """Run a worker until SIGTERM or SIGINT; return the exit code (0: stopped as told).

    After a failure threads and tasks are left as they are: the process must end at once, since
    the group takes it for alive as long as they run.
    """
    use_exact_arithmetic()

    async def main() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        worker = Worker(cluster, database_url, policy, slot=slot, data=data)
        try:
            await worker.run(stop)
        except Exception as failure:  # noqa: BLE001 - the supervisor starts a new one
            error = _first_of(failure)
            if may_pass(error):
                worker.leave_untried()
            log.error("worker_stopped", slot=slot, error=str(error), kind=type(error).__name__)
            # What is broken may also keep Faust from stopping, and nothing needs a farewell: the
            # next process goes on from the positions in the database.
            sys.stderr.flush()
            os._exit(1)
        return 0

    runner = asyncio.Runner()
    with contextlib.suppress(KeyboardInterrupt):
        status = runner.run(main())
        if status == 0:
            # It waits for all tasks; some of Faust's never end if they were not stopped in order.
            runner.close()
        return status
    return 0
