"""The data folder's run state: who runs, on which ports, and locks that end with their holder."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ops.embedded.processes import Identity


class FolderInUse(Exception):
    """Another hub runs in this data folder."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What ``run/<name>.json`` says of a server: its process (None: stopped) and its ports."""

    process: Identity | None = None
    ports: Mapping[str, int] = field(default_factory=dict)


def run_folder(data: Path) -> Path:
    """The folder of run records and locks, made if it isn't there."""
    folder = data / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_folder(data: Path) -> Path:
    """The folder of log files, made if it isn't there."""
    folder = data / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_record(data: Path, name: str) -> RunRecord:
    """The last record of this server; an empty one where there is none or it is damaged."""
    try:
        document = json.loads((run_folder(data) / f"{name}.json").read_text())
        process = Identity(document["pid"], document["created"]) if document["pid"] else None
        return RunRecord(process, {key: int(port) for key, port in document["ports"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return RunRecord()


def write_record(data: Path, name: str, record: RunRecord) -> None:
    """Keep the record of this server."""
    process = record.process
    document = {
        "pid": process.pid if process else None,
        "created": process.created if process else None,
        "started_at": datetime.fromtimestamp(process.created, UTC).isoformat() if process else None,
        "ports": dict(record.ports),
    }
    write_whole(run_folder(data) / f"{name}.json", json.dumps(document, indent=1))


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once, so that no reader ever sees half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


@contextmanager
def exclusively(data: Path, name: str) -> Iterator[None]:
    """Wait for, and hold, the lock ``run/<name>.lock``."""
    with (run_folder(data) / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Users:
    """Counts who uses a server: each holds a shared lock, which the kernel drops at its death."""

    def __init__(self, data: Path, name: str) -> None:
        self._path = run_folder(data) / f"{name}.users"
        self._held: IO[str] | None = None

    @property
    def joined(self) -> bool:
        """Whether this object counts as a user."""
        return self._held is not None

    def join(self) -> None:
        """Count as a user from now on."""
        if self._held is None:
            self._held = self._path.open("a")
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop counting as a user; returns whether nobody else is one."""
        held, self._held = self._held, None
        if held is None:
            return False
        with held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True


@contextmanager
def sole_hub(data: Path) -> Iterator[None]:
    """Hold the data folder for one hub.

    Raises:
        FolderInUse: another hub that is alive holds it.
    """
    path = run_folder(data) / "hub.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "an unknown process"
            raise FolderInUse(
                f"{data} is in use by {holder}: stop that hub first,"
                " or give this one another folder (data: in headrace.yaml, or HEADRACE_DATA)"
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield
