"""Faust's transport in batches: one Faust message is everything one fetch returned of a partition.

Stock Faust spends several tasks on every record; here a message carries a whole `RecordBatch`, so
agents, rebalancing and flow control stay Faust's while the cost per record is that of a bare
consumer. Positions come from and go to a `PositionStore` (the database), not Kafka's own offsets.

Private attributes of Faust and aiokafka are used below: all are pinned, and `check_versions`
refuses others.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import aiokafka
import faust
import structlog
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from hub.batches import Claim, PositionStore, RecordBatch
from hub.settings import KafkaSecurity

log = structlog.get_logger(__name__)

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}

#: Faust fixes 1,500 ms, which alone makes a p99 of over a second when traffic is thin.
FETCH_MAX_WAIT_MS = 50


def check_versions() -> None:
    """Refuse to run on versions whose private attributes this module has not been tried on.

    Raises:
        RuntimeError: another version of Faust or aiokafka is installed.
    """
    for package, wanted in PINNED.items():
        found = importlib.metadata.version(package)
        if found != wanted:
            raise RuntimeError(
                f"{package} {found} is installed, the batch transport is tried on {wanted} only: "
                "run `make setup`"
            )


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread of the inner aiokafka consumer, with the options that Faust does not pass on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The time of the last record that was handed out of each partition, in ms.
        self._reached: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        for attribute in (
            "_isolation_level",
            "_fetch_max_wait_ms",
            "_partition_assignment_strategy",
            "_auto_offset_reset",
        ):
            if not hasattr(consumer, attribute):
                raise RuntimeError(f"aiokafka's consumer has no {attribute} any more")
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        # We seek to the stored position. If that is outside the log, or comes to be because the log
        # is cut, nobody may choose another one and so skip records: the fetch raises.
        consumer._auto_offset_reset = "none"
        # Ranges keep equal partition numbers of different topics, hence a customer, together.
        consumer._partition_assignment_strategy = [RangePartitionAssignor]
        return consumer

    async def _fetch_records(
        self, consumer: aiokafka.AIOKafkaConsumer, *args: Any, **kwargs: Any
    ) -> Any:
        try:
            fetched = await super()._fetch_records(consumer, *args, **kwargs)
        except NoOffsetForPartitionError:
            # A partition was just assigned, and we have not yet sought its stored position.
            return {}
        # A fetch of one partition may hold many times what is handed out at once, and aiokafka
        # goes on with the same partition until it is empty: the lanes of other topics would be
        # idle meanwhile, and payments run far ahead of their invoices. So who is behind in time
        # is served next.
        for partition, records in fetched.items():
            self._reached[partition] = records[-1].timestamp
        held = consumer._fetcher._records
        for partition in sorted(held, key=lambda one: self._reached.get(one, 0)):
            held[partition] = held.pop(partition)
        return fetched

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Tell Kafka how far we are, for lag tools only: a failure is logged, never fatal."""
        consumer = self._ensure_consumer()
        assignment = self.assignment()
        try:
            await consumer.commit(
                {
                    TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, "")
                    for tp, offset in offsets.items()
                    if tp in assignment
                }
            )
        except Exception as error:  # noqa: BLE001 - lag tools can wait
            log.info("kafka_offsets_not_committed", error=repr(error))
            return False
        return True


class BatchConsumer(driver.Consumer):
    """Faust's consumer, yielding one message per partition and fetch."""

    app: BatchApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._claims: dict[TP, Claim] = {}
        self._fetched_to: dict[TP, int] = {}

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: the bounded queue is back-pressure enough (pausing costs a second each)."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, see `on_buffer_full`."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a message's offset is that of its last record, gaps are the rule."""

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        last: int = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Claim the assigned partitions in the database and seek to the positions that it names."""
        assigned = self.assignment()
        loop = asyncio.get_running_loop()
        try:
            claims = await loop.run_in_executor(
                None, self.app.positions.claim, [(tp.topic, tp.partition) for tp in assigned]
            )
        except Exception as error:
            # Faust would log a failed seek and read on from Kafka's own offsets.
            self.app.on_failure(error)
            raise
        self._claims = {TP(*partition): claim for partition, claim in claims.items()}
        positions = {tp: claim.position for tp, claim in self._claims.items()}
        self._fetched_to = dict(positions)
        await self._thread.seek_wait(positions)
        return positions

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        await self._release([tp for tp in revoked if tp in self._claims])

    async def on_stop(self) -> None:
        await super().on_stop()
        await self._release(list(self._claims))

    async def _release(self, partitions: list[TP]) -> None:
        loop = asyncio.get_running_loop()
        held = [(tp.topic, tp.partition) for tp in partitions]
        try:
            await loop.run_in_executor(None, self.app.positions.release, held)
        except Exception as error:  # noqa: BLE001 - they are claimed again by epoch
            log.warning("partitions_not_released", error=repr(error), partitions=len(held))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch, and yield one message per partition that moved."""
        fetched, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        moved = []
        for tp in self._claims:
            end, start = self._position(tp), self._fetched_to[tp]
            if end is not None and end > start:
                # Noted before anything is yielded: if a batch is dropped below, the next one does
                # not join the stored position, and the ledger refuses it.
                self._fetched_to[tp] = end
                moved.append((tp, start, end))
        for tp, start, end in moved:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            yield tp, self._message_of(tp, start, end, fetched.get(tp, []))

    def _position(self, tp: TP) -> int | None:
        """Where the next fetch begins; only `getmany` moves it, so it belongs to the last one."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return None
        state = subscription.assignment.state_value(TopicPartition(tp.topic, tp.partition))
        # `_position` and not `position`, which raises while a seek is under way.
        position: int | None = None if state is None else state._position
        return position

    def _message_of(self, tp: TP, start: int, end: int, records: list[Any]) -> ConsumerMessage:
        batch = RecordBatch(tp.topic, tp.partition, start, end, self._claims[tp].epoch, records)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            end - 1,
            records[-1].timestamp / 1000.0 if records else 0.0,
            0,
            [],
            None,
            batch,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the batch consumer in it."""

    Consumer = BatchConsumer


class BatchSchema(faust.Schema):
    """Passes a message's batch through as the event's value."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: ConsumerMessage, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, headers=None, message=message)

        return decode


class BatchApp(faust.App):
    """A Faust app whose positions stand in a `PositionStore` and whose events are batches."""

    positions: PositionStore
    #: Told why the app cannot go on; whoever runs it ends the process.
    on_failure: Callable[[BaseException], None]

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def batches(self, topic: str) -> Any:
        """Return the Faust topic whose events are the batches of ``topic``."""
        return self.topic(topic, schema=BatchSchema(), internal=False)


def credentials_of(security: KafkaSecurity | None) -> Any:
    """Return Faust's credentials for what the settings say of the brokers' security."""
    if security is None or security.protocol == "PLAINTEXT":
        return None
    context = None
    if security.protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=security.ca_file)
    if security.mechanism is None:
        return faust.SSLCredentials(context)
    password = security.password.get_secret_value() if security.password else None
    return faust.SASLCredentials(
        username=security.username,
        password=password,
        mechanism=security.mechanism,
        ssl_context=context,
    )


def new_app(
    *,
    group: str,
    brokers: Iterable[str],
    positions: PositionStore,
    datadir: str,
    instance: str | None,
    security: KafkaSecurity | None = None,
    max_poll_records: int = 1_500,
    session_timeout_s: float = 8.0,
    rebalance_timeout_s: float = 30.0,
) -> BatchApp:
    """Make the Faust app of one worker.

    Args:
        group: Kafka's consumer group, and the group of the positions.
        brokers: host:port of each bootstrap server.
        positions: where positions are claimed and kept.
        datadir: a folder for Faust's own files; its parent must exist.
        security: how to log in to the brokers; None where they ask for nothing.
        instance: static member name of the worker's slot, which saves the session timeout at a
            restart; None for a dynamic member.
        max_poll_records: the most records of one fetch over all partitions.
    """
    check_versions()
    app = BatchApp(
        group,
        broker=[f"aiokafka://{server}" for server in brokers],
        broker_credentials=credentials_of(security),
        datadir=datadir,
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        consumer_max_fetch_size=2 * 1024 * 1024,
        consumer_metadata_max_age_ms=5_000,
        consumer_group_instance_id=instance,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=max_poll_records,
        broker_session_timeout=session_timeout_s,
        broker_heartbeat_interval=session_timeout_s / 4,
        broker_rebalance_timeout=rebalance_timeout_s,
        broker_commit_interval=2.0,
        broker_check_crcs=True,
        stream_buffer_maxsize=4,
        stream_wait_empty=True,
        cython_optimizations=True,
        worker_redirect_stdouts=False,
    )
    app.positions = positions
    return app
