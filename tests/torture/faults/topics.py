"""Topics that are not as one expects: transactions, compaction, another topic of the same name."""

from __future__ import annotations

import asyncio
import random
import signal
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

import aiokafka

from hub.kafka import Cluster, log_ranges
from ops.supervisor import FATAL_EXIT
from streams.rebuild import accept_recreated, forget_everything
from tests.oracle.asking import ask_letters
from tests.oracle.generate import Event
from tests.oracle.handwritten import customer
from tests.oracle.log import read_log
from tests.torture.faults.records import payment
from tests.torture.load import PARTITIONS, Accepted, put
from tests.torture.topic_settings import (
    cut_log,
    delay_of_the_cleaner,
    settings_of_topic,
)
from tests.torture.trial import Trial, later

INVOICES = "finance.invoice.v1"
CUSTOMERS = "party.customer.v1"

_GIVEN_UP_SECONDS = 60.0
_CLEANED_SECONDS = 60.0

#: So that the cleaner has closed segments to work on soon after each append.
_RESTLESS = {
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
    "min.compaction.lag.ms": "0",
}


def transactions(trial: Trial) -> None:
    """Records written in transactions, some of them aborted, one of them open for a while."""
    trial.rig.start(1)
    events = trial.history(800 if trial.brief else None)
    killer = later(trial.random.uniform(0.5, 3.0), lambda: trial.kill("worker-0"))
    trial.accepted += asyncio.run(
        write_in_transactions(trial.rig.addresses.cluster, events, trial.random)
    )
    killer.join()
    trial.settle()
    # Nothing but an aborted transaction is behind the position now: no lag all the same.
    aborted = trial.history(60)
    asyncio.run(
        write_in_transactions(trial.rig.addresses.cluster, aborted, trial.random, aborting=1.0)
    )
    trial.settle()


async def write_in_transactions(
    cluster: Cluster, events: Sequence[Event], rng: random.Random, *, aborting: float = 0.3
) -> list[Accepted]:
    """Write events in transactions of random size; returns those that were committed."""
    producers = []
    for _ in range(2):
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=list(cluster.bootstrap_servers),
            transactional_id=f"torture-{uuid.uuid4().hex}",
        )
        await producer.start()
        producers.append(producer)
    committed: list[Accepted] = []
    rest = list(events)
    try:
        while rest:
            size = rng.choice((1, 3, 20, 120))
            chunk, rest = rest[:size], rest[size:]
            # The second one is open while the first one writes, and holds readers back.
            other, rest = rest[:5], rest[5:]
            await producers[1].begin_transaction()
            held = [await _send(producers[1], event) for event in other]
            committed += await _write_chunk(producers[0], chunk, rng.random() < aborting)
            committed += await _end(producers[1], other, held, rng.random() < aborting)
    finally:
        for producer in producers:
            await producer.stop()
    return committed


async def _write_chunk(
    producer: aiokafka.AIOKafkaProducer, events: Sequence[Event], aborting: bool
) -> list[Accepted]:
    await producer.begin_transaction()
    sent = [await _send(producer, event) for event in events]
    return await _end(producer, events, sent, aborting)


async def _send(producer: aiokafka.AIOKafkaProducer, event: Event) -> asyncio.Future[object]:
    sent: asyncio.Future[object] = await producer.send(
        event.topic,
        key=event.key,
        value=event.value,
        partition=event.partition_hint % PARTITIONS,
    )
    return sent


async def _end(
    producer: aiokafka.AIOKafkaProducer,
    events: Sequence[Event],
    sent: Sequence[asyncio.Future[object]],
    aborting: bool,
) -> list[Accepted]:
    await producer.flush()
    written = [await one for one in sent]
    if aborting:
        await producer.abort_transaction()
        return []
    await producer.commit_transaction()
    return [
        Accepted(event, place.partition, place.offset)  # type: ignore[attr-defined]
        for event, place in zip(events, written, strict=True)
    ]


def compacted(trial: Trial) -> None:
    """A topic out of which the cleaner has taken records, before and while it is read."""
    rig = trial.rig
    rng = trial.random
    parties = _Parties(rng, 40)
    others = [event for event in trial.history(900, tombstones=0) if event.topic != CUSTOMERS]
    with delay_of_the_cleaner(rig.addresses.cluster, 300):
        settings_of_topic(
            rig.addresses.cluster, CUSTOMERS, _RESTLESS | {"delete.retention.ms": "0"}
        )
        _put_slowly(trial, parties.changes(300), pieces=4)
        _wait_until_cleaned(trial, 300)
        mindful = _RESTLESS | {"delete.retention.ms": "600000"}
        settings_of_topic(rig.addresses.cluster, CUSTOMERS, mindful)
        trial.put_all(others)
        rig.start(1)
        trial.settle()
        killer = later(rng.uniform(0.5, 2.5), lambda: trial.kill("worker-0"))
        _put_slowly(trial, parties.changes(300), pieces=6)
        killer.join()
        trial.settle()
        rig.stop()
        # The position may now stand where no record is any more.
        _put_slowly(trial, parties.changes(40), pieces=2)
        _wait_until_cleaned(trial, 600)
        rig.start(1)
        trial.settle()


class _Parties:
    """Customer records whose versions only grow, so that compaction keeps the newest ones."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self._random = rng
        self._keys = [f"erp|C{one}" for one in range(number // 2)]
        self._keys += [f"crm|A{one}" for one in range(number // 2)]
        self._version = 0

    def changes(self, number: int) -> list[Event]:
        """So many records, a tenth of them tombstones."""
        return [self._change() for _ in range(number)]

    def _change(self) -> Event:
        self._version += 1
        key = self._random.choice(self._keys)
        record = customer(
            key,
            f"Name {self._version}",
            tax_id=self._random.choice((None, None, f"DE{self._random.randrange(30):09d}")),
            same_as=self._random.choice(((), (), (self._random.choice(self._keys),))),
            version=self._version,
        )
        return replace(record, value=None) if self._random.random() < 0.1 else record


def _put_slowly(trial: Trial, events: Sequence[Event], pieces: int) -> None:
    """Put events so that each piece of them ends in a segment of its own."""
    size = -(-len(events) // pieces)
    for start in range(0, len(events), size):
        trial.put_all(events[start : start + size])
        time.sleep(0.3)


def _wait_until_cleaned(trial: Trial, most: int) -> None:
    """Wait until the cleaner has left clearly fewer than ``most`` records of the customers."""
    deadline = time.monotonic() + _CLEANED_SECONDS
    servers = list(trial.rig.addresses.cluster.bootstrap_servers)
    left = most
    while time.monotonic() < deadline:
        left = len(read_log(servers, [CUSTOMERS]))
        if left < most // 2:
            return
        # The cleaner leaves the newest segment alone: give it another one.
        trial.accepted += put(
            trial.rig.addresses.cluster,
            [
                replace(customer(f"own|{hint}", version=time.time_ns()), partition_hint=hint)
                for hint in range(PARTITIONS)
            ],
        )
        time.sleep(0.3)
    raise AssertionError(f"the cleaner did not clean: {left} of {most} records are left")


def recreated_topic(trial: Trial) -> None:
    """A topic was deleted and created again: the worker stops, and says why and what to do."""
    rig = trial.rig
    running = trial.random.random() < 0.5
    rig.start(1)
    bad = replace(payment("bad"), topic=INVOICES, partition_hint=0, value=b"the first one")
    trial.put_all([bad])
    trial.put_all(trial.history(800, poison=0))
    trial.settle()
    if not running:
        rig.stop()
    servers = list(rig.addresses.cluster.bootstrap_servers)
    old = read_log(servers, [INVOICES])
    # Places in the old log are not those in the new one.
    trial.earlier = [
        replace(record, partition=record.partition + 1000)
        for record in old
        if record.value != bad.value
    ]
    trial.accepted = [one for one in trial.accepted if one.event.topic != INVOICES]
    rig.recreate_topics([INVOICES])
    trial.put_all([replace(bad, value=b"another one at the same place")])
    trial.put_all(trial.history(trial.random.choice((40, 2_000)), poison=0))
    if not running:
        rig.start(1)
    _expect_given_up(trial, ("deleted and created again", INVOICES))
    rig.stop()
    accept_recreated(rig.addresses.database_url, INVOICES)
    rig.start(1)
    trial.settle()
    there = [one for one in ask_letters(rig.addresses.database_url) if one["position"] == 0]
    trial.expect(len(there) == 2, f"{len(there)} of 2 dead letters from one place of both logs")


def cut_topic(trial: Trial) -> None:
    """Records that were not yet read are deleted: the worker stops, and says where."""
    rig = trial.rig
    running = trial.random.random() < 0.5
    rig.start(1)
    trial.put_all(trial.history(800))
    trial.settle()
    if running:
        rig.signal("worker-0", signal.SIGSTOP)
    else:
        rig.stop()
    trial.put_all(trial.history(800))
    places = [(INVOICES, number) for number in range(PARTITIONS)]
    ranges = log_ranges(rig.addresses.cluster, places)
    cut_log(rig.addresses.cluster, {place: end - 3 for place, (_, end) in ranges.items()})
    if running:
        rig.signal("worker-0", signal.SIGCONT)
    else:
        rig.start(1)
    _expect_given_up(trial, ("records between were lost", INVOICES))
    rig.stop()
    trial.accepted = [one for one in trial.accepted if one.event.topic != INVOICES]
    forget_everything(rig.addresses.database_url, rig.policy)
    rig.start(1)
    trial.settle(relayed=False)


def _expect_given_up(trial: Trial, texts: Iterable[str]) -> None:
    """Expect that the worker is given up, with a message that holds ``texts``."""
    rig = trial.rig
    deadline = time.monotonic() + _GIVEN_UP_SECONDS
    while rig.states()["worker-0"] != "given up":
        if time.monotonic() > deadline:
            trial.differences.append("the worker was not stopped")
            return
        time.sleep(0.1)
    status = rig.exit_status("worker-0")
    trial.expect(status == FATAL_EXIT, f"the worker ended with {status}")
    told = rig.last_error("worker-0") or ""
    for text in texts:
        trial.expect(text in told, f"the worker's last error does not say {text!r}: {told!r}")
