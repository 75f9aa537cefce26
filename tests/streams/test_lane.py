"""A lane puts together what arrives: what waits in one transaction, decoded ahead if it is much."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

from hub.batches import Claim, RecordBatch
from streams.ingest import Prepared, records_of
from streams.lane import BATCH_RECORDS, OVERLAP_RECORDS, Lane, Parcel

TOPIC = "sales.order.v1"
SECONDS = 10


class Transactions:
    """Stands for the sessions and the ledger: each transaction waits until it is let through."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._let = threading.Semaphore(0)
        self._begun = threading.Semaphore(0)

    def run(self, work: Callable[[Any], Any]) -> Any:
        return work(None)

    def commit(self, _: Any, prepared: Prepared) -> list[Any]:
        self._begun.release()
        assert self._let.acquire(timeout=SECONDS)
        self.sizes.append(len(records_of(prepared.spans)))
        return []

    def let(self, number: int = 1) -> None:
        self._let.release(number)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.acquire, timeout=SECONDS)


class Decoder(ThreadPoolExecutor):
    """Counts the batches that it was given."""

    def __init__(self) -> None:
        super().__init__(1)
        self.batches = 0

    def submit(self, *work: Any, **options: Any) -> Any:
        self.batches += 1
        return super().submit(*work, **options)


class Feed:
    """Hands a lane one fetch after another of one partition."""

    def __init__(self) -> None:
        self.transactions, self.decoder = Transactions(), Decoder()
        self.acknowledged: list[int] = []
        self.committers = ThreadPoolExecutor(1)
        self._end = 0
        positions = SimpleNamespace(cautions={}, claims={(TOPIC, 0): Claim(0, 1)})
        self.lane = Lane(
            TOPIC,
            ingest=cast(Any, self.transactions),
            positions=cast(Any, positions),
            sessions=cast(Any, self.transactions),
            decoders=self.decoder,
            committers=self.committers,
            alone=asyncio.Lock(),
        )

    async def fetch(self, records: int) -> None:
        start, self._end = self._end, self._end + records
        found = [
            SimpleNamespace(topic=TOPIC, partition=0, offset=at, key=b"", value=b"", headers=())
            for at in range(start, self._end)
        ]
        end = self._end
        batch = RecordBatch(TOPIC, 0, start, end, 1, found)
        await self.lane.put(Parcel(batch, lambda: self.acknowledged.append(end)))

    async def committed(self, number: int) -> None:
        async with asyncio.timeout(SECONDS):
            while len(self.transactions.sizes) < number or len(self.acknowledged) < number:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running() -> AsyncIterator[Feed]:
    feed = Feed()
    task = asyncio.create_task(feed.lane.run())
    try:
        yield feed
    finally:
        task.cancel()
        feed.transactions.let(100)
        feed.committers.shutdown()
        feed.decoder.shutdown()


def test_thin_traffic_is_committed_at_once_and_what_comes_meanwhile_goes_together() -> None:
    async def thin() -> tuple[list[int], int]:
        async with running() as feed:
            await feed.fetch(1)
            await feed.transactions.begun()
            for _ in range(20):
                await feed.fetch(2)
            await asyncio.sleep(0.05)
            decoded_ahead = feed.decoder.batches - 1
            feed.transactions.let(2)
            await feed.committed(2)
            assert feed.acknowledged == [1, *range(3, 42, 2)]
            return feed.transactions.sizes, decoded_ahead

    assert asyncio.run(thin()) == ([1, 40], 0)


def test_much_is_decoded_while_the_transaction_before_runs() -> None:
    async def full() -> list[int]:
        async with running() as feed:
            await feed.fetch(1)
            await feed.transactions.begun()
            await feed.fetch(OVERLAP_RECORDS - 1)
            await asyncio.sleep(0.05)
            assert feed.decoder.batches == 1
            await feed.fetch(1)
            async with asyncio.timeout(SECONDS):
                while feed.decoder.batches < 2:
                    await asyncio.sleep(0.005)
            assert feed.transactions.sizes == []
            feed.transactions.let(2)
            await feed.committed(2)
            return feed.transactions.sizes

    assert asyncio.run(full()) == [1, OVERLAP_RECORDS]


def test_who_hands_over_waits_while_enough_is_on_its_way() -> None:
    async def crowded() -> list[int]:
        async with running() as feed:
            await feed.fetch(1)
            await feed.transactions.begun()
            # One batch is decoded ahead, one more waits: then there is no room.
            await feed.fetch(BATCH_RECORDS)
            await feed.fetch(BATCH_RECORDS)
            waits = asyncio.create_task(feed.fetch(5))
            await asyncio.sleep(0.05)
            assert not waits.done()
            feed.transactions.let(100)
            async with asyncio.timeout(SECONDS):
                await waits
            await feed.committed(4)
            return feed.transactions.sizes

    assert asyncio.run(crowded()) == [1, BATCH_RECORDS, BATCH_RECORDS, 5]
