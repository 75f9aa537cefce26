"""Keeps the hub's processes running: restarts what ends, kills what stalls, stops all cleanly."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from hub.log import get_logger
from hub.metrics import RESTARTS
from ops.child_log import ChildLog
from ops.embedded.folder import log_folder, run_folder, write_whole
from ops.embedded.processes import Identity, stop_process
from ops.watchdog import Lag, Watch, look, stalled

log = get_logger(__name__)

#: Exit status of a child that a restart can't help (EX_CONFIG of sysexits.h).
FATAL_EXIT = 78

_TICK_SECONDS = 0.1
_REVIVE_SECONDS = 0.5
_WATCH_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
#: Restarts before the pauses grow: a record that kills its worker is found within a few deaths.
_QUICK_RESTARTS = 3
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """A child: what it is called, what is run, and the slot of a worker.

    One that ``finishes`` is not started again once it has exited with 0.
    """

    name: str
    argv: tuple[str, ...]
    slot: int | None = None
    finishes: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


class _Child:
    """One command and its present process."""

    def __init__(self, command: Command, logs: Path) -> None:
        self.command = command
        self.log = ChildLog(command.name, logs / f"{command.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: Identity | None = None
        self.started = 0.0
        self.restarts = 0
        self.failures = 0
        self.due: float | None = 0.0
        """When it is to be started; None while it runs, or where it is not to be again."""
        self.last_exit: int | None = None
        self.kill_reason: str | None = None
        self.given_up = False

    def launch(self, now: float) -> None:
        environment = {**os.environ, **self.command.environment}
        process = subprocess.Popen(
            self.command.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            # Ctrl-C reaches the supervisor, which stops its children in their own time.
            start_new_session=True,
        )
        if process.stdout is not None:
            self.log.follow(process.stdout)
        self.process, self.started, self.due = process, now, None
        self.identity = Identity.of(process.pid)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def state(self) -> str:
        if self.runs:
            return "running"
        if self.due is not None:
            return "waiting"
        return "given up" if self.given_up else "ended"


class Supervisor:
    """Runs commands until it is told to stop.

    Args:
        data: the data folder; state goes to ``run/supervisor.json``, output to ``logs/``.
        commands: the children, in the order of their start.
        revive: called twice a second to start embedded servers that died; gives their names.
        progress: gives all partitions of the workers' group, for the watchdog; it may block and
            may raise, which only makes the watchdog forget what it saw.
        stall_seconds: how long a worker may stand still with lag.
        grace_seconds: how long a child may take to end after SIGTERM.
    """

    def __init__(
        self,
        data: Path,
        commands: Sequence[Command],
        *,
        revive: Callable[[], list[str]] | None = None,
        progress: Callable[[], Sequence[Lag]] | None = None,
        stall_seconds: float = 30.0,
        grace_seconds: float = 15.0,
    ) -> None:
        self._data = data
        self._children = {command.name: _Child(command, log_folder(data)) for command in commands}
        self._revive = revive
        self._progress = progress
        self._stall_seconds = stall_seconds
        self._grace_seconds = grace_seconds
        self._stopping = threading.Event()
        self._verdicts: queue.SimpleQueue[dict[int, str]] = queue.SimpleQueue()
        self._started_at = datetime.now(UTC)
        self._revive_due = 0.0
        self._revive_failures = 0
        self._state: dict[str, Any] = {}

    def run(self, until: Callable[[], bool] | None = None) -> int:
        """Supervise until ``until`` says so, SIGTERM or SIGINT comes, or ``stop`` is called.

        Only the main thread can take the signals; elsewhere ``stop`` ends it.

        Returns:
            The number of children that were given up.
        """
        self._end_leftovers()
        watcher = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        with _Signals(self.stop):
            try:
                if self._progress is not None:
                    watcher.start()
                while not self._stopping.is_set() and not (until is not None and until()):
                    self._tick(time.monotonic())
                    self._stopping.wait(_TICK_SECONDS)
            finally:
                self._stopping.set()
                self._stop_children()
                if watcher.is_alive():
                    watcher.join(_WATCH_SECONDS)
        return sum(child.given_up for child in self._children.values())

    def stop(self) -> None:
        """End ``run`` soon; callable from any thread."""
        self._stopping.set()

    def exit_status(self, name: str) -> int | None:
        """How the process of this name last ended (negative: by that signal); None: not yet."""
        return self._children[name].last_exit

    def states(self) -> dict[str, str]:
        """Each child's state: running, waiting (to be started), ended or given up."""
        return {name: child.state for name, child in self._children.items()}

    def _tick(self, now: float) -> None:
        self._revive_servers(now)
        self._carry_out_verdicts()
        for child in self._children.values():
            if child.process is not None and not child.runs:
                self._note_end(child, now)
            if child.due is not None and now >= child.due:
                child.launch(now)
                log.info("started", process=child.command.name, pid=_pid(child))
        self._write_state()

    def _note_end(self, child: _Child, now: float) -> None:
        """Decide whether and when a child that ended runs again."""
        assert child.process is not None
        child.last_exit, child.process = child.process.returncode, None
        name, status = child.command.name, child.last_exit
        if child.command.finishes and status == 0:
            log.info("finished", process=name)
            return
        if status == FATAL_EXIT:
            child.given_up = True
            log.error("given_up", process=name, status=status, log=f"logs/{name}.log")
            return
        lived = now - child.started
        child.failures = 1 if lived >= _SETTLED_SECONDS else child.failures + 1
        growth = 2 ** max(0, child.failures - _QUICK_RESTARTS)
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * growth)
        child.due, child.restarts = now + pause, child.restarts + 1
        reason, child.kill_reason = child.kill_reason or f"exit status {status}", None
        RESTARTS.labels(name, "stalled" if reason.startswith("stalled") else "ended").inc()
        log.error("ended", process=name, reason=reason, lived_seconds=round(lived), pause=pause)

    def _carry_out_verdicts(self) -> None:
        while not self._verdicts.empty():
            for slot, reason in self._verdicts.get().items():
                for child in self._children.values():
                    if child.command.slot == slot and child.process is not None and child.runs:
                        log.error("killed", process=child.command.name, reason=reason)
                        child.kill_reason = f"stalled: {reason}"
                        child.process.kill()

    def _watch(self) -> None:
        """The watchdog's thread: looks, judges, and leaves the killing to the main loop."""
        assert self._progress is not None
        watch = Watch()
        while not self._stopping.wait(_WATCH_SECONDS):
            try:
                current = self._progress()
            except Exception as error:  # noqa: BLE001 - the watch goes on, whatever it can't see
                log.warning("progress_unknown", error=repr(error))
                watch = Watch()
                continue
            now = time.monotonic()
            watch = look(watch, current, now)
            reasons = stalled(watch, current, self._worker_starts(), now, self._stall_seconds)
            if reasons:
                self._verdicts.put(reasons)
                watch = Watch()

    def _worker_starts(self) -> dict[int, float]:
        return {
            child.command.slot: child.started
            for child in self._children.values()
            if child.command.slot is not None and child.runs
        }

    def _revive_servers(self, now: float) -> None:
        if self._revive is None or now < self._revive_due:
            return
        try:
            for name in self._revive():
                RESTARTS.labels(name, "ended").inc()
            self._revive_failures = 0
        except Exception as error:  # noqa: BLE001 - it is tried again, and the children live on
            self._revive_failures += 1
            log.error("server_not_revived", error=str(error))
        pause = _REVIVE_SECONDS * 2**self._revive_failures
        self._revive_due = time.monotonic() + min(_LONGEST_PAUSE_SECONDS, pause)

    def _stop_children(self) -> None:
        """SIGTERM to all, SIGKILL to those that are still there after the grace."""
        running = [child for child in self._children.values() if child.runs]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self._grace_seconds
        for child in running:
            process = child.process
            assert process is not None
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("killed", process=child.command.name, reason="deaf to SIGTERM")
                _signal(child, signal.SIGKILL)
                process.wait()
        for child in self._children.values():
            if child.process is not None:
                child.last_exit, child.process = child.process.returncode, None
            child.due = None
            child.log.close()
        self._write_state()

    def _end_leftovers(self) -> None:
        """Kill the children of a supervisor that was killed here; they are known for certain."""
        try:
            state = json.loads(self._state_path().read_text())
            left = [
                (entry["name"], Identity(entry["pid"], entry["created"]))
                for entry in state["processes"]
                if entry["pid"] is not None
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return
        for name, identity in left:
            if Identity.of(identity.pid) is not None:
                stop_process(identity, self._grace_seconds)
                log.warning("leftover_ended", process=name, pid=identity.pid)

    def _state_path(self) -> Path:
        return run_folder(self._data) / "supervisor.json"

    def _write_state(self) -> None:
        us = None if self._stopping.is_set() else Identity.of(os.getpid())
        state = {
            "pid": us.pid if us else None,
            "created": us.created if us else None,
            "started_at": self._started_at.isoformat(),
            "processes": [_state_of(child) for child in self._children.values()],
        }
        if state != self._state:
            write_whole(self._state_path(), json.dumps(state, indent=1))
            self._state = state


def leave_with_supervisor(poll_seconds: float = 1.0) -> None:
    """Called by a child at its start: ends this process soon after its supervisor was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll_seconds)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10 * poll_seconds)
        os._exit(1)

    threading.Thread(target=watch, name="supervisor-gone", daemon=True).start()


class _Signals:
    """SIGTERM and SIGINT call ``stop`` while this is entered, in the main thread."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._former[number] = signal.signal(number, self._caught)

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _caught(self, _number: int, _frame: FrameType | None) -> None:
        self._stop()


def _signal(child: _Child, number: signal.Signals) -> None:
    if child.process is not None:
        with suppress(ProcessLookupError):
            child.process.send_signal(number)


def _pid(child: _Child) -> int | None:
    return child.process.pid if child.process is not None else None


def _state_of(child: _Child) -> dict[str, Any]:
    identity = child.identity if child.runs else None
    return {
        "name": child.command.name,
        "slot": child.command.slot,
        "state": child.state,
        "pid": identity.pid if identity else None,
        "created": identity.created if identity else None,
        "restarts": child.restarts,
        "last_exit": child.last_exit,
    }
