"""After a fault: waits until the hub is idle, and names each difference between it and the log."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import psycopg
from kafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from hub.clock import business_date
from hub.kafka import TopicMissing
from hub.settings import Settings
from ops.asking import snapshot
from ops.lag import Backlog, read_backlog
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch, encode
from sinks.database import engine
from streams.views import view_readers
from tests.oracle.asking import ask_database
from tests.oracle.check import check_hub
from tests.oracle.log import Place, Record, read_log
from tests.torture.load import Accepted
from tests.torture.rig import Rig

#: How long the hub may take to have processed everything, once nobody harms it any more.
IDLE_SECONDS = 60.0
#: Far behind every event of a history: what is open then is what is stored as open.
LATER = date(2028, 12, 31)
_POLL_SECONDS = 0.1

_AWAY = (KafkaError, TopicMissing, DBAPIError, psycopg.Error, OSError)


def wait_until_idle(rig: Rig, seconds: float = IDLE_SECONDS, *, outbox: bool = True) -> float:
    """Wait until no topic has lag (and no change waits for the relay); returns how long it took.

    Raises:
        TimeoutError: it is not idle in time; names what is left.
    """
    began = time.monotonic()
    backlog: Backlog | None = None
    database = engine(rig.addresses.database_url)
    try:
        while time.monotonic() - began < seconds:
            try:
                with rig.addresses.cluster.admin() as admin:
                    while time.monotonic() - began < seconds:
                        backlog = read_backlog(database, rig.addresses.cluster, admin)
                        if backlog.records == 0 and not (outbox and backlog.outbox):
                            return time.monotonic() - began
                        time.sleep(_POLL_SECONDS)
            except _AWAY:
                time.sleep(_POLL_SECONDS)
    finally:
        database.dispose()
    raise TimeoutError(f"not idle after {seconds:.0f} s: {_left(backlog)}")


def _left(backlog: Backlog | None) -> str:
    if backlog is None:
        return "the broker or the database does not answer"
    behind = [
        f"{lag.topic}[{lag.partition}] is {lag.records} behind at {lag.position} "
        f"(worker {lag.owner_slot})"
        for lag in backlog.partitions
        if lag.records
    ]
    return "; ".join([*behind, f"{backlog.outbox} changes wait for the relay"])


def check(
    rig: Rig,
    accepted: Sequence[Accepted],
    *,
    quarantined: Collection[Place] = (),
    earlier: Sequence[Record] = (),
    relayed: bool = True,
) -> list[str]:
    """Return every difference between an idle hub and the log.

    Args:
        rig: the hub.
        accepted: what the broker acknowledged.
        quarantined: places of good records that had to be put aside.
        earlier: records that the hub took in and that are in no log any more.
        relayed: whether a relay ran, so that the view topics can be compared.
    """
    records = read_log(list(rig.addresses.cluster.bootstrap_servers))
    found = lost(accepted, records)
    today = business_date(rig.settings)
    found += check_hub(
        ask_database(rig.addresses.database_url, rig.settings, (today, LATER)),
        [*earlier, *records],
        as_of=today,
        base_currency=rig.settings.company.base_currency,
        quarantined=quarantined,
    )
    with snapshot(rig.addresses.database_url) as connection:
        found += check_balances(connection)
        if relayed:
            found += check_view_topics(rig, connection)
    return found


def lost(accepted: Sequence[Accepted], records: Sequence[Record]) -> list[str]:
    """Name accepted records that are not in the log.

    Of a compacted topic that is asked of the last one of each key alone; where that is a tombstone,
    the cleaner may have taken it too, but only with all that it deletes.
    """
    values = {record.place: record.value for record in records}
    keys = {(record.topic, record.partition, record.key) for record in records}
    last: dict[tuple[str, int, bytes], int] = {}
    for one in accepted:
        last[_key(one)] = max(one.offset, last.get(_key(one), one.offset))

    def may_be_gone(one: Accepted) -> bool:
        if TOPICS[one.event.topic].cleanup != "compact":
            return False
        if one.offset < last[_key(one)]:
            return True
        return one.event.value is None and _key(one) not in keys

    return [
        f"{one.event.topic}[{one.partition}]@{one.offset} was accepted, but is not in the log"
        for one in accepted
        if not may_be_gone(one) and values.get(one.place, b"lost") != one.event.value
    ]


def _key(one: Accepted) -> tuple[str, int, bytes]:
    return (one.event.topic, one.partition, one.event.key)


def check_balances(connection: psycopg.Connection[Any]) -> list[str]:
    """Compare the balances that are kept with sums over the items that they are kept of."""
    rows = connection.execute(
        """
        WITH items AS (
            SELECT customer_key, currency, open_amount, 0 AS unallocated,
                (SELECT count(*) FROM unnest(open_amounts) AS part WHERE part <> 0) AS items
            FROM receivable_invoices WHERE customer_key IS NOT NULL
            UNION ALL
            SELECT customer_key, currency, 0, unallocated, 0 FROM receivable_receipts
        ), sums AS (
            SELECT customer_key, currency, sum(open_amount) AS open_amount,
                sum(unallocated) AS unallocated, sum(items) AS items
            FROM items GROUP BY customer_key, currency
        )
        SELECT coalesce(kept.customer_key, sums.customer_key),
            coalesce(kept.currency, sums.currency),
            coalesce(kept.open_amount, 0), coalesce(sums.open_amount, 0),
            coalesce(kept.unallocated, 0), coalesce(sums.unallocated, 0),
            coalesce(kept.items, 0), coalesce(sums.items, 0)
        FROM receivable_balances AS kept FULL JOIN sums USING (customer_key, currency)
        """
    ).fetchall()
    found = []
    for customer, currency, *columns in rows:
        pairs = zip(("open", "unallocated", "items"), columns[::2], columns[1::2], strict=True)
        for name, kept, summed in pairs:
            if kept != summed:
                found.append(
                    f"balance of {customer} in {currency}: {name} is {kept}, by its items {summed}"
                )
    return found


def check_view_topics(rig: Rig, connection: psycopg.Connection[Any]) -> list[str]:
    """Compare the newest record of each key of the view topics with the view as it stands."""
    history = history_of_views(rig.addresses.cluster.bootstrap_servers)
    published = {
        topic: {key: records[-1].value for key, records in of_topic.items()}
        for topic, of_topic in history.items()
    }
    keys = {
        "customer": [key for (key,) in connection.execute("SELECT key FROM customer_members")],
        "demand": sorted(
            {
                f"{product}|{day:%Y-%m}"
                for product, day in connection.execute(
                    "SELECT product_key, demand_on FROM demand_lines"
                    " WHERE product_key IS NOT NULL AND demand_on IS NOT NULL"
                )
            }
            | set(published.get("view.demand.v1", {}))
        ),
    }
    found = []
    readers = view_readers(rig.policy, _source_names(rig.settings))
    for subject, known in keys.items():
        for topic, read in readers[subject].items():
            standing = read(connection, known)
            newest = published.get(topic, {})
            for key in sorted(set(standing) | set(newest)):
                view = standing.get(key)
                expected = None if view is None else encode(TOPICS[topic], view)
                if newest.get(key) != expected:
                    found.append(
                        f"{topic} {key}: what was published last is not the view. Published: "
                        f"{[_shown(one) for one in history.get(topic, {}).get(key, [])]}; "
                        f"the view: {view}"
                    )
    return found


def _shown(record: Record) -> str:
    value = record.value
    content = None if value is None else decode_batch(TOPICS[record.topic], [value])[0]
    document = content.document if isinstance(content, Decoded) else content
    return f"[{record.partition}]@{record.offset}: {document}"


def history_of_views(servers: Sequence[str]) -> Mapping[str, Mapping[str, list[Record]]]:
    """By view topic and key what was published, in the order of the log."""
    history: dict[str, dict[str, list[Record]]] = {}
    views = [topic.name for topic in TOPICS.values() if topic.kind == "view"]
    for record in read_log(list(servers), views):
        of_topic = history.setdefault(record.topic, {})
        of_topic.setdefault((record.key or b"").decode(), []).append(record)
    return history


def _source_names(settings: Settings) -> list[str]:
    return [source.name for source in settings.sources]
