"""Processes that are ours for certain, told by process id together with start time."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_SAME_START_SECONDS = 2.0
_POLL_SECONDS = 0.05
_EXEC_POLLS = 5


@dataclass(frozen=True, slots=True)
class Identity:
    """One process: an id alone may have passed to a stranger, so its start time belongs to it."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Who has this process id now; None where nobody has."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None


def find_process(identity: Identity, marker: str | None = None) -> psutil.Process | None:
    """The process of this identity, if it runs and its command line holds ``marker``."""
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.created) > _SAME_START_SECONDS:
            return None
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        if marker is not None and not any(marker in word for word in _command_line(process)):
            return None
    except psutil.Error:
        return None
    return process


def stop_process(
    identity: Identity,
    grace_seconds: float,
    signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    marker: str | None = None,
) -> bool:
    """End a process of ours, with SIGKILL if it doesn't go by itself.

    Args:
        identity: which.
        grace_seconds: how long each signal may take to work.
        signals: what is sent before SIGKILL, in this order.
        marker: what its command line must hold, or it is left alone.

    Returns:
        Whether it ended without SIGKILL (also True where it was gone already).
    """
    for number in signals:
        if find_process(identity, marker) is None:
            return True
        _send(identity.pid, number)
        if _gone_within(identity, grace_seconds):
            return True
    if find_process(identity, marker) is None:
        return True
    _send(identity.pid, signal.SIGKILL)
    _gone_within(identity, grace_seconds)
    return False


def _command_line(process: psutil.Process) -> list[str]:
    """The command line, which the kernel shows as empty for a moment at the start of a program."""
    for _ in range(_EXEC_POLLS):
        words: list[str] = process.cmdline()
        if words:
            return words
        time.sleep(_POLL_SECONDS)
    return []


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # It ended between the look and the signal.


def _gone_within(identity: Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if find_process(identity) is None:
            _reap(identity.pid)
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # Not our child: its parent, or init, does this.
