"""Looks at the backlog again and again in a thread, so that nobody who asks has to wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from hub.kafka import KafkaError, TopicMissing
from hub.log import get_logger
from ops.lag import Backlog, read_backlog
from ops.stack import Addresses
from ops.watchdog import Lag
from sinks.database import engine

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """The backlog, and when we began to look (seconds of the monotonic clock)."""

    backlog: Backlog
    began: float


class Observer:
    """Observes while it is entered."""

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
        database = engine(self._addresses.database_url)
        try:
            while not self._stop.is_set():
                try:
                    with self._addresses.cluster.admin() as admin:
                        self._look_while_possible(database, admin)
                except (KafkaError, TopicMissing, DBAPIError, OSError) as error:
                    log.info("backlog_unknown", error=str(error).strip())
                    self._stop.wait(1.0)
        finally:
            with suppress(DBAPIError):
                database.dispose()

    def _look_while_possible(self, database: Engine, admin: Any) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            backlog = read_backlog(database, self._addresses.cluster, admin)
            with self._seen:
                self._latest = Observation(backlog, began)
                self._seen.notify_all()
            self._stop.wait(self._every_seconds)
