"""Looks at the backlog again and again in a thread, so that nobody who asks has to wait for it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DBAPIError

from hub.kafka import KafkaError, TopicMissing
from hub.log import get_logger
from hub.metrics import BACKLOG_SEEN, LAG, OUTBOX_DEPTH
from ops.lag import Backlog, read_backlog
from ops.stack import Addresses
from ops.watchdog import Lag
from sinks.database import engine

log = get_logger(__name__)

_PAUSE_SECONDS = 1.0
#: What is raised while a server is away.
_PASSING = (KafkaError, TopicMissing, DBAPIError, OSError)


@dataclass(frozen=True, slots=True)
class Observation:
    """The backlog, and when we began to look (seconds of the monotonic clock)."""

    backlog: Backlog
    began: float


class Observer:
    """Observes while it is entered, whatever is raised; what it sees goes into the metrics, too."""

    def __init__(self, addresses: Addresses, every_seconds: float) -> None:
        self._addresses = addresses
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._seen = threading.Condition()
        self._latest: Observation | None = None
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(2.0)

    @property
    def latest(self) -> Observation | None:
        """What was seen last; it may be old while a server is away."""
        return self._latest

    def lags(self, patience_seconds: float = 15.0) -> Sequence[Lag]:
        """All partitions, looked at after this call.

        Raises:
            TimeoutError: a server did not answer in time.
        """
        now = time.monotonic()
        with self._seen:
            if not self._seen.wait_for(lambda: self._is_after(now), patience_seconds):
                raise TimeoutError("the broker or the database does not answer")
            assert self._latest is not None
            return self._latest.backlog.partitions

    def _is_after(self, moment: float) -> bool:
        return self._latest is not None and self._latest.began > moment

    def _observe(self) -> None:
        complaint = ""
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._look_while_possible()
            except _PASSING as error:
                log.info("backlog_unknown", error=str(error).strip())
            except Exception as error:  # noqa: BLE001 - unseen, a stall would last for ever
                if repr(error) != complaint or self._is_after(began):
                    # As text: structlog's own would show local variables, with passwords.
                    trace = traceback.format_exc()
                    log.error("backlog_unknown", error=repr(error), trace=trace)
                complaint = repr(error)
            self._stop.wait(_PAUSE_SECONDS)

    def _look_while_possible(self) -> None:
        database = engine(self._addresses.database_url)
        try:
            with self._addresses.cluster.admin() as admin:
                while not self._stop.is_set():
                    began = time.monotonic()
                    backlog = read_backlog(database, self._addresses.cluster, admin)
                    with self._seen:
                        self._latest = Observation(backlog, began)
                        self._seen.notify_all()
                    _measure(backlog)
                    self._stop.wait(self._every_seconds)
        finally:
            with suppress(DBAPIError):
                database.dispose()


def _measure(backlog: Backlog) -> None:
    for topic, records in backlog.of_topics().items():
        LAG.labels(topic).set(records)
    OUTBOX_DEPTH.set(backlog.outbox)
    BACKLOG_SEEN.set_to_current_time()
