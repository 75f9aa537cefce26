"""Watches a hub while it works: the memory of its processes, and how fast the streams get on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import psycopg

from sinks.database import connect

_SECONDS = 1.0
_WINDOW = 10
_SERVERS = ("kafka", "postgres")


@dataclass(slots=True)
class Watch:
    """What was seen: the peak memory in MB by kind of process, and (seconds, events processed)."""

    memory: dict[str, float] = field(default_factory=dict)
    processed: list[tuple[float, int]] = field(default_factory=list)

    def average_rate(self) -> float:
        """Events per second that the streams processed, from their first to their last one."""
        moved = [
            (before, after) for before, after in pairwise(self.processed) if after[1] > before[1]
        ]
        if not moved:
            return 0.0
        (began, first), (ended, last) = moved[0][0], moved[-1][1]
        return (last - first) / (ended - began)

    def best_rate(self) -> float:
        """The same over their fastest ten seconds, 0 where they worked for less."""
        windows = zip(self.processed, self.processed[_WINDOW:], strict=False)
        return max(
            ((last - first) / (ended - began) for (began, first), (ended, last) in windows),
            default=0.0,
        )


@contextmanager
def watching(data: Path, url: str, supervisor: int) -> Iterator[Watch]:
    """Watch the hub of a data folder while the context lasts.

    Args:
        data: the folder.
        url: of its database.
        supervisor: the process that started the others.
    """
    watch, over = Watch(), threading.Event()

    def look() -> None:
        began = monotonic()
        with connect(url, name="watch") as connection:
            connection.autocommit = True
            while not over.wait(_SECONDS):
                for kind, process in _processes(data, supervisor):
                    watch.memory[kind] = max(watch.memory.get(kind, 0.0), _megabytes(kind, process))
                watch.processed.append((monotonic() - began, _processed(connection)))

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join(10)


def _processes(data: Path, supervisor: int) -> Iterator[tuple[str, int]]:
    yield "supervisor", supervisor
    for name in _SERVERS:
        found = _read(data / "run" / f"{name}.json")
        if found.get("pid"):
            yield name, found["pid"]
    for entry in _read(data / "run" / "supervisor.json").get("processes", ()):
        if entry["pid"]:
            yield entry["name"].rstrip("-0123456789"), entry["pid"]


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _megabytes(kind: str, number: int) -> float:
    """What a process takes, and for a server its children; shared memory is shared out."""
    try:
        process = psutil.Process(number)
        family = [process, *(process.children(recursive=True) if kind in _SERVERS else ())]
    except psutil.Error:
        return 0.0
    total = 0.0
    for one in family:
        try:
            total += one.memory_full_info().pss / 1e6
        except psutil.Error:
            continue
    return total


def _processed(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(sum(position), 0) FROM stream_offsets").fetchone()
    return 0 if row is None else int(row[0])
