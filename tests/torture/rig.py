"""A hub to be ill-treated: its servers, its processes under a real supervisor, and their pids."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg

from hub.kafka import delete_topics, ensure_topics
from hub.log import get_logger
from hub.policy import Policy, load_policy
from hub.settings import load_settings
from ops.embedded.folder import log_folder, run_folder
from ops.embedded.processes import Identity, find_process
from ops.observer import Observer
from ops.running import commands, last_error
from ops.stack import Stack
from ops.supervisor import Command, Supervisor
from schemas.catalogue import TOPICS
from sinks.database import connect
from sinks.session import Session
from sinks.tables import metadata
from tests.oracle.generate import AS_OF, BASE_CURRENCY

log = get_logger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_OBSERVE_SECONDS = 0.3
_POLL_SECONDS = 0.05

#: Started instead of ``headrace`` where a record is to kill its worker.
DEADLY = "tests.torture.deadly_worker"


class Rig:
    """One stack for many trials; entered, it holds a running broker and database.

    Args:
        folder: for the configuration and all that the hub writes; owned by the rig.
    """

    def __init__(self, folder: Path) -> None:
        self._own_config = self.config = folder / "headrace.yaml"
        self.exports = folder / "exports"
        """The folder that the hub's one source reads, in the form of Northwind's tables."""
        self.exports.mkdir()
        document = {
            "company": {"name": "Torture", "base_currency": BASE_CURRENCY, "time_zone": "UTC"},
            "data": "var",
            "business_date": AS_OF.isoformat(),
            "sources": [
                {"name": "shop", "kind": "files", "path": "exports", "mapping": "northwind"}
            ],
        }
        self.config.write_text(json.dumps(document), encoding="utf-8")
        self.settings = load_settings(self.config, {})
        self.policy: Policy = load_policy(None)
        self.revives = True
        """Whether servers that died are started again; unset it to keep one away."""
        self._stack = Stack(self.settings)
        self._supervisor: Supervisor | None = None
        self._thread: threading.Thread | None = None
        self._extra: list[psutil.Popen] = []

    def __enter__(self) -> Self:
        self._stack.__enter__()
        self.addresses = self._stack.addresses
        self._observer = Observer(self.addresses, _OBSERVE_SECONDS).__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._observer.__exit__(None, None, None)
        self.revives = True
        self._stack.__exit__(kind, error, trace)

    def use(self, config: Path) -> None:
        """Make it the hub of another configuration, of the same data folder, until it is empty."""
        self.config, self.settings = config, load_settings(config, {})

    # -- the hub's processes

    def start(
        self,
        workers: int = 1,
        *,
        relay: bool = True,
        connectors: bool = False,
        deadly: bool = False,
        stall_seconds: float = 30.0,
    ) -> None:
        """Start the hub's processes under a supervisor, as ``headrace up`` does."""
        assert self._supervisor is None, "it runs already"
        wanted = [
            command
            for command in self.commands(workers, deadly=deadly)
            if command.slot is not None
            or (command.name == "relay" and relay)
            or (command.name == "connectors" and connectors)
        ]
        supervisor = Supervisor(
            self.settings.data,
            wanted,
            revive=self.revive,
            progress=self._observer.lags,
            stall_seconds=stall_seconds,
        )
        self._supervisor = supervisor
        self._thread = threading.Thread(target=supervisor.run, name="supervisor", daemon=True)
        self._thread.start()

    def commands(self, workers: int, *, deadly: bool = False) -> list[Command]:
        """The commands of a hub with so many workers."""
        settings = self.settings.model_copy(update={"workers": workers})
        found = commands(settings, self.config, bounded=False)
        if not deadly:
            return found
        here = {"PYTHONPATH": str(_ROOT)}
        return [
            replace(command, argv=_deadly(command.argv), environment=here)
            if command.slot is not None
            else command
            for command in found
        ]

    def stop(self) -> None:
        """Stop all processes of the hub; the servers go on."""
        for process in self._extra:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)
        self._extra.clear()
        if self._supervisor is None:
            return
        for name in self.names():
            self.signal(name, signal.SIGCONT)
        self._supervisor.stop()
        assert self._thread is not None
        self._thread.join(60)
        assert not self._thread.is_alive(), "the supervisor does not end"
        self._supervisor = self._thread = None

    def join_worker(self, slot: int) -> psutil.Popen:
        """Start a worker that no supervisor looks after."""
        command = next(one for one in self.commands(slot + 1) if one.slot == slot)
        output = (log_folder(self.settings.data) / f"{command.name}.log").open("ab")
        with output:
            process = psutil.Popen(command.argv, stdout=output, stderr=output)
        self._extra.append(process)
        return process

    def names(self) -> list[str]:
        """The names of the supervised processes."""
        return [] if self._supervisor is None else list(self._supervisor.states())

    def states(self) -> Mapping[str, str]:
        """What each supervised process is doing."""
        assert self._supervisor is not None
        return self._supervisor.states()

    def exit_status(self, name: str) -> int | None:
        """How a process last ended."""
        assert self._supervisor is not None
        return self._supervisor.exit_status(name)

    def pid(self, name: str) -> int | None:
        """The pid of a supervised process, None while it does not run."""
        try:
            state = json.loads((run_folder(self.settings.data) / "supervisor.json").read_text())
        except (OSError, ValueError):
            return None
        for entry in state["processes"]:
            if entry["name"] == name and entry["pid"] is not None:
                identity = Identity(entry["pid"], entry["created"])
                return None if find_process(identity) is None else identity.pid
        return None

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a supervised process; returns whether it was there."""
        pid = self.pid(name)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def wait_for(self, name: str, seconds: float = 30.0) -> None:
        """Wait until a supervised process runs."""
        deadline = time.monotonic() + seconds
        while self.pid(name) is None:
            assert time.monotonic() < deadline, f"{name} does not start"
            time.sleep(_POLL_SECONDS)

    def last_error(self, name: str) -> str | None:
        """The text of the last error that a process has logged in this trial."""
        return last_error(log_folder(self.settings.data) / f"{name}.log")

    # -- the servers

    def revive(self) -> list[str]:
        """Start servers that died, unless they are to be kept away."""
        return self._stack.revive() if self.revives else []

    def kill_server(self, name: str) -> None:
        """SIGKILL the broker (``kafka``) or the database (``postgres``)."""
        server = next(one for one in self._stack.servers if one.name == name)
        process = server.process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the trial's own, in autocommit."""
        connection = connect(self.addresses.database_url, name="torture")
        connection.autocommit = True
        return connection

    # -- between trials

    def empty(self) -> None:
        """Make the hub new: no process, empty tables, empty topics, no logs of processes."""
        self.stop()
        self.use(self._own_config)
        self.revives = True
        self.revive()
        tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        # The observer goes on looking, and may lock the same tables in another order.
        session = Session(self.addresses.database_url, name="torture")
        session.run(lambda connection: connection.execute(f"TRUNCATE {tables}"))
        session.close()
        self.recreate_topics(list(TOPICS))
        for path in self.exports.iterdir():
            path.unlink()
        for path in log_folder(self.settings.data).glob("*.log"):
            if path.name != "kafka.log":
                path.unlink()

    def recreate_topics(self, names: Collection[str]) -> None:
        """Delete topics and create them again, empty."""
        cluster = self.addresses.cluster
        delete_topics(cluster, names)
        deadline = time.monotonic() + 30
        with cluster.admin() as admin:
            while set(admin.list_topics()) & set(names):
                assert time.monotonic() < deadline, "topics are not deleted"
                time.sleep(_POLL_SECONDS)
        ensure_topics(cluster, TOPICS.values(), self.settings.partitions)


def _deadly(argv: tuple[str, ...]) -> tuple[str, ...]:
    """``python -P -m ops.cli worker …`` with the worker that some records kill."""
    return (sys.executable, "-m", DEADLY, *argv[argv.index("ops.cli") + 1 :])
