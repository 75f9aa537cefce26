"""Places of workers that no supervisor numbers: each takes the lowest that is free."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from hub.log import get_logger
from sinks.database import connect

log = get_logger(__name__)

#: As many workers as a hub may have.
SLOTS = 64
#: Names the advisory locks of the slots, together with the slot's number.
_LOCK_CLASS = 7302


class SlotsTaken(Exception):
    """As many workers run as there may be."""


@contextmanager
def claimed_slot(database_url: str) -> Iterator[int]:
    """Hold the lowest free slot by a lock of a session of its own, which ends with the process.

    A slot names a worker's static membership: who comes back within the session timeout gets its
    partitions without a rebalance. If the server forgets the lock (its restart), another worker
    may take the slot; Kafka then fences the elder one, which ends and is started again.

    Raises:
        SlotsTaken: none is free.
        psycopg.OperationalError: the database does not answer.
    """
    with closing(connect(database_url, name="headrace-slot")) as connection:
        connection.autocommit = True
        for slot in range(SLOTS):
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, slot)
            ).fetchone()
            if row is not None and row[0]:
                log.info("slot_claimed", slot=slot)
                yield slot
                return
    raise SlotsTaken(f"{SLOTS} workers run on this database already: stop one")
