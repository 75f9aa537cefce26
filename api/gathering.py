"""Gathers what requests hand in while the last batch is on its way, and takes it on together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import structlog

from api.problems import Problem
from api.replies import Reply

log = structlog.get_logger(__name__)


class Gathered(Protocol):
    """What can be gathered: ``weight`` is how many records of it are still to be taken."""

    reply: Reply

    @property
    def weight(self) -> int:
        """Records."""


Entry = TypeVar("Entry", bound=Gathered)


class Full(Exception):
    """More waits than may."""


class Gathering(Generic[Entry]):
    """Works on entries in one thread of its own; each batch takes what came during the last.

    Args:
        name: of the thread.
        work: takes a batch, replies to it, and returns the entries of which more is to be taken;
            these go behind the others, so that a large one does not hold up the small. If it
            raises, its batch is told so, and the next is taken.
        at_once: records of a batch, about.
        most: records that may wait.
        pace_s: seconds from the beginning of a batch to that of the next, unless that is full:
            few records cost the broker and the database as much as many.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[Entry]], list[Entry]],
        *,
        at_once: int,
        most: int,
        pace_s: float,
    ) -> None:
        self._work = work
        self._at_once = at_once
        self._most = most
        self._pace_s = pace_s
        self._waiting: deque[Entry] = deque()
        self._weight = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, entry: Entry) -> None:
        """Hand in an entry.

        Raises:
            Full: too much waits already.
        """
        with self._changed:
            if self._stopping or (self._waiting and self._weight + entry.weight > self._most):
                raise Full
            self._waiting.append(entry)
            self._weight += entry.weight
            self._changed.notify()

    def is_working(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def busy_seconds(self) -> float:
        """For how long the batch that is on its way has been."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self, patience_s: float) -> None:
        """Take on what waits, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(patience_s)

    def _run(self) -> None:
        while batch := self._next():
            began = self._busy_since = time.monotonic()
            rest = self._worked(batch)
            self._busy_since = None
            pause = began + self._pace_s - time.monotonic()
            if pause > 0 and self._weight < self._at_once:
                time.sleep(pause)
            with self._changed:
                self._waiting.extend(rest)
                self._weight += sum(entry.weight for entry in rest)

    def _worked(self, batch: list[Entry]) -> list[Entry]:
        # Without this thread nothing is taken any more, while the process looks alive.
        try:
            return self._work(batch)
        except Exception as error:
            log.error("batch_failed", thread=self._thread.name, error=repr(error), exc_info=error)
            problem = Problem(500, "failed", "the hub could not do this; its log says why")
            Reply.deliver((entry.reply, problem) for entry in batch)
            return []

    def _next(self) -> list[Entry]:
        """The next batch; empty where there will be none."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            batch: list[Entry] = []
            taken = 0
            while self._waiting and taken < self._at_once:
                entry = self._waiting.popleft()
                batch.append(entry)
                taken += entry.weight
            self._weight -= taken
            return batch
