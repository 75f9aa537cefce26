"""Records that no hub can take: bytes that are no document, and one that kills its reader."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import aiokafka

from hub.kafka import Cluster
from tests.oracle.asking import ask_letters
from tests.oracle.generate import Event, event_of, noon
from tests.torture.deadly_worker import MAGIC
from tests.torture.load import PARTITIONS, Accepted
from tests.torture.trial import Trial

Headers = list[tuple[str, bytes | None]]


def bad_records(trial: Trial) -> None:
    """Undecodable bytes, unknown schema ids, truncated Avro, bytes left over, broken rules."""
    trial.rig.start(1)
    events = trial.history(poison=260 if trial.brief else 1_300)

    def harm() -> None:
        trial.pause(0.5, 3.0)
        put_hostile(trial)
        trial.kill("worker-0")

    trial.run_under(events, harm)


def put_hostile(trial: Trial) -> None:
    """Put records into the log that only the database, or their own dead letter, trips over."""
    rng = trial.random
    bad = replace(payment("bad"), value=b"no document")
    by_their_headers: list[tuple[Event, Headers]] = [
        (bad, [("trace", b"\x00\xff\x01")]),
        (bad, [("nothing", None)]),
        (bad, [("zero\x00byte", b"")]),
        (replace(bad, key=b"\xff\x00key"), []),
        (replace(bad, value=None), []),
    ]
    # By the contract they are good: put aside is what no row or index can hold.
    unkeepable = [
        payment("with a \x00 byte"),
        payment(rng.randbytes(3_000).hex()),
        payment("of a long name", customer=rng.randbytes(3_000).hex()),
    ]
    sent = [*by_their_headers, *((event, []) for event in unkeepable)]
    accepted = asyncio.run(_send_with_headers(trial.rig.addresses.cluster, sent))
    trial.accepted += accepted
    trial.quarantined |= {one.place for one in accepted if one.event in unkeepable}


async def _send_with_headers(
    cluster: Cluster, events: Sequence[tuple[Event, Headers]]
) -> list[Accepted]:
    """Send with aiokafka, which lets one write headers that have no value."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=list(cluster.bootstrap_servers))
    await producer.start()
    accepted = []
    try:
        for event, headers in events:
            partition = event.partition_hint % PARTITIONS
            place = await producer.send_and_wait(
                event.topic, event.value, key=event.key, partition=partition, headers=headers
            )
            accepted.append(Accepted(event, place.partition, place.offset))
    finally:
        await producer.stop()
    return accepted


def deadly_record(trial: Trial) -> None:
    """A record that kills the process is put aside, it alone, and everything else is processed."""
    deadly = payment("deadly", reference=MAGIC.decode())
    events = trial.history()
    events.insert(trial.random.randrange(len(events)), deadly)
    trial.rig.start(1, deadly=True)
    trial.put_all(events)
    trial.quarantined = {one.place for one in trial.accepted if one.event is deadly}
    trial.settle()
    codes = [
        (letter["topic"], letter["partition"], letter["position"])
        for letter in ask_letters(trial.rig.addresses.database_url)
        if letter["code"] == "kills_the_process"
    ]
    trial.expect(
        set(codes) == trial.quarantined and len(codes) == len(trial.quarantined),
        f"put aside as deadly were {codes}, to be put aside were {trial.quarantined}",
    )


def payment(
    number: str,
    *,
    customer: str = "C1",
    amount: Decimal = Decimal(10),
    reference: str | None = None,
) -> Event:
    """A payment that keeps all rules."""
    body = {
        "source": "erp",
        "id": number,
        "version": 1,
        "occurred_at": noon(date(2026, 1, 1)),
        "deleted": False,
        "customer": {"source": "erp", "id": customer},
        "kind": "receipt",
        "amount": amount,
        "currency": "CNY",
        "received_on": date(2026, 1, 1),
        "reference": reference,
    }
    return event_of("payment", body)
