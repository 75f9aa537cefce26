"""A server in the data folder: started by its first user, stopped by its last, found again after
a crash."""

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM, Signals
from typing import ClassVar

from hub.log import get_logger
from hub.metrics import START_SECONDS
from ops.embedded.folder import (
    RunRecord,
    Users,
    exclusively,
    log_folder,
    read_record,
    write_record,
)
from ops.embedded.ports import choose_ports
from ops.embedded.processes import Identity, find_process, stop_process

log = get_logger(__name__)

Ports = Mapping[str, int]

_POLL_SECONDS = 0.05
_KILLED_PORT_SECONDS = 5.0
_LARGEST_LOG_BYTES = 10_000_000
_LOG_TAIL_CHARACTERS = 3_000


class ServerFailed(Exception):
    """An embedded server did not start; the message holds the end of its log."""


class EmbeddedServer(ABC):
    """One server of one data folder.

    Any number of processes may ``acquire`` it; it runs until the last of them ``release``s it.
    A user that is killed counts no longer, and its server is taken over by the next one.
    """

    name: ClassVar[str]
    port_purposes: ClassVar[tuple[str, ...]]
    stop_signals: ClassVar[tuple[Signals, ...]] = (SIGTERM,)
    start_seconds: ClassVar[float] = 60.0
    stop_seconds: ClassVar[float] = 20.0

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self._users = Users(self.data, self.name)
        self._log_starts: dict[Path, int] = {}

    @property
    @abstractmethod
    def marker(self) -> str:
        """A path of this data folder that stands in the server's command line."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs in the data folder; called before each start."""

    @abstractmethod
    def command(self, ports: Ports) -> list[str]:
        """The command that runs the server in the foreground on these ports."""

    @abstractmethod
    def answers(self, ports: Ports) -> bool:
        """Whether a client gets an answer on these ports."""

    def account(self) -> str | None:
        """The operating system's user that runs it; None for the present one."""
        return None

    def acquire(self) -> dict[str, int]:
        """Use the server, started if it doesn't run; returns its ports by purpose.

        Raises:
            ServerFailed: it can't be started.
        """
        with exclusively(self.data, self.name):
            self._users.join()
            try:
                return self._found() or self._started()
            except BaseException:
                if self._users.leave():
                    self._stop()
                raise

    def release(self) -> None:
        """Use it no longer; the last user stops it."""
        with exclusively(self.data, self.name):
            if self._users.leave():
                self._stop()

    def stop_if_unused(self) -> bool:
        """Stop what killed users have left behind; returns whether nobody uses it."""
        with exclusively(self.data, self.name):
            self._users.join()
            unused = self._users.leave()
            if unused:
                self._stop()
            return unused

    def running_ports(self) -> dict[str, int] | None:
        """The ports of the running server; None where it doesn't run."""
        record = read_record(self.data, self.name)
        if record.process is None or find_process(record.process, self.marker) is None:
            return None
        return dict(record.ports)

    def is_alive(self) -> bool:
        """Whether its process runs (it may still be deaf)."""
        _reap_children()
        return self.running_ports() is not None

    @property
    def process(self) -> Identity | None:
        """The running process, if there is one."""
        record = read_record(self.data, self.name)
        alive = record.process and find_process(record.process, self.marker)
        return record.process if alive else None

    def log_paths(self) -> tuple[Path, ...]:
        """Where to read what went wrong; the first one takes what the server prints."""
        return (log_folder(self.data) / f"{self.name}.out",)

    def _found(self) -> dict[str, int] | None:
        """Ports of a server that runs already; one that stays deaf is stopped."""
        record = read_record(self.data, self.name)
        if record.process is None or find_process(record.process, self.marker) is None:
            return None
        if self._answered(record):
            log.info("server_reused", server=self.name, pid=record.process.pid, **record.ports)
            return dict(record.ports)
        log.warning("deaf_server_stopped", server=self.name, pid=record.process.pid)
        self._stop()
        return None

    def _started(self) -> dict[str, int]:
        self.prepare()
        began = time.monotonic()
        while True:
            record = self._launched()
            if self._answered(record):
                seconds = time.monotonic() - began
                START_SECONDS.labels(self.name).observe(seconds)
                log.info(
                    "server_started", server=self.name, seconds=round(seconds, 2), **record.ports
                )
                return dict(record.ports)
            self._stop()
            if time.monotonic() - began > self.start_seconds or not self._worth_another_try():
                raise ServerFailed(f"{self.name} did not start; its log ends:\n{self._log_tail()}")
            time.sleep(0.5)

    def _launched(self) -> RunRecord:
        former = read_record(self.data, self.name)
        patience = 0.0 if former.process is None else _KILLED_PORT_SECONDS
        ports = choose_ports(self.port_purposes, former.ports, patience)
        printed = self.log_paths()[0]
        if _size(printed) > _LARGEST_LOG_BYTES:
            printed.replace(printed.with_suffix(".out.1"))
        self._log_starts = {path: _size(path) for path in self.log_paths()}
        account = self.account()
        with printed.open("ab") as output:
            child = subprocess.Popen(
                self.command(ports),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=self.environment(),
                user=account,
                group=account,
                extra_groups=None if account is None else [],
                # Out of reach of the terminal's Ctrl-C: the hub stops it when nobody uses it.
                start_new_session=True,
            )
        _children.append(child)
        record = RunRecord(Identity.of(child.pid), ports)
        write_record(self.data, self.name, record)
        return record

    def environment(self) -> dict[str, str]:
        """The server's environment."""
        return dict(os.environ)

    def _answered(self, record: RunRecord) -> bool:
        """Wait until it answers; False as soon as it has ended, or when the time is over."""
        deadline = time.monotonic() + self.start_seconds
        while record.process is not None and time.monotonic() < deadline:
            _reap_children()
            if find_process(record.process) is None:
                return False
            if self.answers(record.ports):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _worth_another_try(self) -> bool:
        """Whether the log tells of something that passes by itself."""
        tail = self._log_tail().lower()
        passing = (
            "address already in use",
            "address in use",
            "shared memory block",
            "still in use",
        )
        return any(text in tail for text in passing)

    def _log_tail(self) -> str:
        """The end of what was logged since the last launch."""
        texts = []
        for path, start in self._log_starts.items():
            if _size(path) > start:
                with path.open("rb") as output:
                    output.seek(start)
                    texts.append(output.read().decode(errors="replace"))
        return "\n".join(texts)[-_LOG_TAIL_CHARACTERS:]

    def _stop(self) -> None:
        record = read_record(self.data, self.name)
        if record.process is None:
            return
        began = time.monotonic()
        stopped = stop_process(record.process, self.stop_seconds, self.stop_signals, self.marker)
        _reap_children(record.process.pid, self.stop_seconds)
        write_record(self.data, self.name, RunRecord(None, record.ports))
        seconds = round(time.monotonic() - began, 2)
        log.info("server_stopped", server=self.name, cleanly=stopped, seconds=seconds)


# Servers that this process started; they may well outlive the object that did it.
_children: list[subprocess.Popen[bytes]] = []


def _reap_children(ended: int | None = None, seconds: float = 0) -> None:
    """Forget the servers that have ended; of the one ``ended``, threads may still be on their way.

    Args:
        ended: a process that is found no more, which a server of many threads is a moment too soon.
        seconds: how long it is waited for.
    """
    for child in _children:
        if child.pid == ended:
            with suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
    _children[:] = [child for child in _children if child.poll() is None]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
