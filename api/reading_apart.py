"""Reads large bodies in processes of their own, so that small requests are not held up by them."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess

import structlog

from api.event_reading import Content, Events, Reading, read_events
from api.problems import Problem
from connectors.publish import OUTSIDE
from connectors.pushed.settling import Pushed
from hub.garbage import collecting_rarely

log = structlog.get_logger(__name__)

_MOST_PROCESSES = 4


class ReadingApart:
    """Processes that read bodies, made when the first large one comes.

    Until the first of them is there, which takes a second, bodies are read in a thread.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._ready = False

    async def read(self, document: str | None, content: Content, reading: Reading) -> Events:
        """The events of a request, see ``read_events``; of documents only what publishing needs.

        Raises:
            Problem: the request as a whole is none that can be taken.
        """
        pool = self._pool
        if pool is None:
            pool = self._pool = self._started()
        if not self._ready:
            return await asyncio.to_thread(read_events, document, content, reading)
        loop = asyncio.get_running_loop()
        try:
            read = await loop.run_in_executor(pool, _read, document, content, reading)
        except BrokenProcessPool as error:
            # What ends a process would have ended the door; the next body gets a new one.
            log.error("reading_process_died", size=len(content.body), error=str(error))
            if self._pool is pool:
                self._pool = None
            raise Problem(500, "failed", "the process that read this body died") from error
        if isinstance(read, Problem):
            raise read
        return read

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        # The other half of the processors is for the broker, the database and what is published.
        processes = min(_MOST_PROCESSES, max(1, (os.cpu_count() or 2) // 2))
        pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin)
        self._ready = False
        pool.submit(os.getpid).add_done_callback(self._note_ready)
        return pool

    def _note_ready(self, _: object) -> None:
        self._ready = True


def _begin() -> None:
    """Prepare a process: the door alone is told to stop, and when it dies, this one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    door = parent_process()
    assert door is not None
    threading.Thread(target=_end_with, args=(door,), daemon=True).start()
    collecting_rarely().__enter__()


def _end_with(door: BaseProcess) -> None:
    door.join()
    os._exit(0)


def _read(document: str | None, content: Content, reading: Reading) -> Events | Problem:
    try:
        events = read_events(document, content, reading)
    except Problem as problem:
        return problem
    for one in events.handed:
        if isinstance(one, Pushed):
            # The rest has been encoded, and would take as long to hand over as to read.
            one.draft.body = {name: one.draft.body.get(name) for name in OUTSIDE}
    return events
