"""Ends a worker that no supervisor watches when it stands still, so that it is started again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.log import get_logger
from ops.observer import Observer
from ops.stack import Addresses
from ops.watchdog import Lag, Watch, look, stalled

log = get_logger(__name__)

_LOOK_SECONDS = 5.0
#: As the supervisor has it.
_STALL_SECONDS = 30.0


@contextmanager
def watched_by_itself(addresses: Addresses, slot: int) -> Iterator[None]:
    """Watch this worker in a thread; it ends the process at once if the worker stands still."""
    stop = threading.Event()
    with Observer(addresses, _LOOK_SECONDS) as observer:
        thread = threading.Thread(target=_watch, args=(observer, slot, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()


def _watch(observer: Observer, slot: int, stop: threading.Event) -> None:
    started, watch = time.monotonic(), Watch()
    while not stop.wait(_LOOK_SECONDS):
        try:
            watch, reason = judged(watch, observer.lags(), slot, started, time.monotonic())
        except TimeoutError as error:
            log.warning("progress_unknown", error=str(error))
            watch = Watch()
            continue
        if reason is not None:
            log.error("worker_stalled", slot=slot, error=reason)
            sys.stderr.flush()
            os._exit(1)


def judged(
    watch: Watch, current: Sequence[Lag], slot: int, started: float, now: float
) -> tuple[Watch, str | None]:
    """What is remembered from now on, and why the worker of this slot must end, if it must.

    Args:
        watch: what was remembered until now.
        current: all partitions of the group.
        slot: of this worker.
        started: when it started, by the clock of ``now``.
        now: seconds of a clock that never goes back.
    """
    watch = look(watch, current, now)
    reasons = stalled(watch, current, {slot: started}, now, _STALL_SECONDS)
    return watch, reasons.get(slot)
