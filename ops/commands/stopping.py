"""How a hub that runs is told to stop, and what the person who stops it is told."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})


def stop_on_sigterm() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that servers are stopped on the way out."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)


@contextmanager
def stopping_told() -> Iterator[None]:
    """Say on standard error, at once, that a signal stops the hub; on leaving, that it has.

    Only for the main thread. Whoever handles the signals handles them as before.
    """
    from ops.presenting.console import err

    caught, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    told = threading.Event()

    def listen() -> None:
        while number := caught.recv(1):
            if number[0] in _STOPPING and not told.is_set():
                told.set()
                err().print("Stopping …")

    listener = threading.Thread(target=listen, name="stopping", daemon=True)
    listener.start()
    # Python writes each signal's number there before it calls the handler of the moment.
    former = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        wakeup.close()
        listener.join()
        caught.close()
        if told.is_set():
            err().print("Stopped.")
