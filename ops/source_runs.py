"""The connectors process: reads every configured source, and says in a file how far it is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

import connectors.mapping
from connectors.errors import SourceError
from connectors.kinds import reader_of
from connectors.pausing import SourcePaused
from connectors.report import SourceReport
from connectors.running import follow, passes_by_itself, run_source
from hub.garbage import collecting_rarely
from hub.log import get_logger
from hub.settings import Settings
from hub.source_settings import Source
from ops.embedded.folder import run_folder, write_whole
from ops.stack import Addresses

log = get_logger(__name__)

#: What no later try mends: the source has failed, and the others are read. What passes by itself
#: never gets here.
_WRONG = (connectors.mapping.MappingError, SourceError, psycopg.Error)

_WRITE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 5.0
_FIRST_REST_SECONDS = 30.0
_LONGEST_REST_SECONDS = 300.0
_COUNTS = ("read", "published", "repeated", "rejected")


@dataclass(slots=True)
class SourceRun:
    """One source in this run; ``state`` is waiting, reading, done, paused or failed."""

    source: str
    read: int = 0
    published: int = 0
    repeated: int = 0
    rejected: int = 0
    waiting: int = 0
    seconds: float = 0.0
    state: str = "waiting"
    error: str | None = None
    bytes_read: int = 0
    bytes_ahead: int | None = None


class Journal:
    """Keeps the runs of a connectors process in ``run/sources.json``."""

    def __init__(self, data: Path, sources: Sequence[str]) -> None:
        self._path = run_folder(data) / "sources.json"
        self._lock = threading.Lock()
        self._due = 0.0
        self._behind = False
        self.runs = {name: SourceRun(name) for name in sources}
        self.write()

    def write(self, *, due_only: bool = False) -> None:
        """Write the file; with ``due_only`` not more often than three times a second."""
        with self._lock:
            now = time.monotonic()
            self._behind = due_only and now < self._due
            if self._behind:
                return
            self._due = now + _WRITE_SECONDS
            runs = [asdict(run) for run in self.runs.values()]
            write_whole(self._path, json.dumps({"sources": runs}, indent=1))

    def catch_up(self) -> None:
        """Write what was too early to be written when it was known."""
        if self._behind:
            self.write()

    @staticmethod
    def read(data: Path) -> list[dict[str, Any]]:
        """The runs as last written; none before the process has begun."""
        try:
            document = json.loads((run_folder(data) / "sources.json").read_text())
        except (OSError, ValueError):
            return []
        return list(document["sources"])

    @staticmethod
    def clear(data: Path) -> None:
        """Forget the runs of an earlier process."""
        (run_folder(data) / "sources.json").unlink(missing_ok=True)


def check_sources(settings: Settings, *, paths: bool) -> None:
    """Load every mapping before anything is started; with ``paths`` look for what they read too.

    Raises:
        MappingError: a mapping is not valid.
        SourceError: there is nothing to read at a source.
    """
    for source in settings.sources:
        zone = settings.company.zone
        mapping = connectors.mapping.load_mapping(source.mapping, source.name, zone)
        if paths:
            reader_of(source, mapping).check()


@collecting_rarely()
def read_to_end(
    sources: Sequence[Source],
    settings: Settings,
    addresses: Addresses,
    on_change: Callable[[SourceRun], None],
    stopped: Callable[[], bool] = lambda: False,
) -> list[SourceRun]:
    """Read sources to their ends, one after the other.

    A broker or a database that is away is waited for; a source that is configured wrongly, or
    whose work the database refuses, is marked as failed, and the others are read all the same.

    Args:
        sources: of the configuration.
        settings: of the hub.
        addresses: of its servers.
        on_change: told at each step.
        stopped: whether to leave before the next try.
    """
    runs = []
    for source in sources:
        run = SourceRun(source.name, state="reading")
        runs.append(run)
        on_change(run)
        try:
            _read_one(run, source, settings, addresses, on_change, stopped)
        except SourcePaused as error:
            log.info("source_paused", source=source.name, error=str(error))
            run.state = "paused"
        except _WRONG as error:
            log.error("source_failed", source=source.name, error=str(error))
            run.state, run.error = "failed", str(error)
        on_change(run)
    return runs


def _read_one(
    run: SourceRun,
    source: Source,
    settings: Settings,
    addresses: Addresses,
    on_change: Callable[[SourceRun], None],
    stopped: Callable[[], bool],
) -> None:
    began, pause = time.monotonic(), 0.5
    while not stopped():
        before = {name: getattr(run, name) for name in _COUNTS}

        def note(report: SourceReport, before: dict[str, int] = before) -> None:
            for name in _COUNTS:
                setattr(run, name, before[name] + getattr(report, name))
            run.seconds = round(time.monotonic() - began, 3)
            run.bytes_read, run.bytes_ahead = report.bytes_read, report.bytes_ahead
            on_change(run)

        try:
            report = run_source(
                source,
                settings,
                addresses.cluster,
                addresses.database_url,
                bounded=True,
                on_progress=note,
            )
        except Exception as error:
            if not passes_by_itself(error):
                raise
            log.warning("source_interrupted", source=source.name, error=str(error), pause=pause)
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, 2 * pause)
            continue
        note(report)
        run.waiting, run.state = report.waiting, "done"
        return


def read_all_to_end(settings: Settings, addresses: Addresses, stop: threading.Event) -> bool:
    """Read every configured source to its end; returns whether that succeeded for all of them."""
    journal = Journal(settings.data, [source.name for source in settings.sources])

    def note(run: SourceRun) -> None:
        journal.runs[run.source] = run
        journal.write(due_only=run.state == "reading")

    runs = read_to_end(settings.sources, settings, addresses, note, stop.is_set)
    return all(run.state in ("done", "paused") for run in runs)


def as_answer(runs: Sequence[SourceRun]) -> dict[str, Any]:
    """``sources run --json``."""
    return {"sources": [asdict(run) for run in runs]}


@collecting_rarely()
def follow_all(
    settings: Settings,
    addresses: Addresses,
    stop: threading.Event,
    rest_s: float = _FIRST_REST_SECONDS,
) -> None:
    """Follow every source in a thread of its own until ``stop`` is set.

    One that fails is marked as failed while the others go on. It is tried again after ``rest_s``
    seconds, then after twice as many, up to five minutes: what is mended heals by itself.

    Raises:
        MappingError: a mapping is not valid.
    """
    check_sources(settings, paths=False)
    journal = Journal(settings.data, [source.name for source in settings.sources])
    threads = [
        threading.Thread(
            target=_follow_on,
            args=(source, settings, addresses, stop, journal, rest_s),
            name=f"source-{source.name}",
        )
        for source in settings.sources
    ]
    for thread in threads:
        thread.start()
    # Without sources there is still a process to be told to stop.
    while not stop.wait(_WRITE_SECONDS):
        journal.catch_up()
    for thread in threads:
        thread.join()


def _follow_on(
    source: Source,
    settings: Settings,
    addresses: Addresses,
    stop: threading.Event,
    journal: Journal,
    rest_s: float,
) -> None:
    run = journal.runs[source.name]

    def note(report: SourceReport) -> None:
        for name in (*_COUNTS, "waiting", "seconds"):
            setattr(run, name, getattr(report, name))
        run.state, run.error = "reading", None
        journal.write(due_only=True)

    pause = rest_s
    while not stop.is_set():
        began = time.monotonic()
        try:
            follow(
                source, settings, addresses.cluster, addresses.database_url, stop, on_progress=note
            )
        except Exception as error:
            if time.monotonic() - began > _LONGEST_REST_SECONDS:
                pause = rest_s
            run.state, run.error = "failed", str(error) or type(error).__name__
            journal.write()
            log.error(
                "source_failed",
                source=source.name,
                error=run.error,
                pause_s=pause,
                exc_info=None if isinstance(error, _WRONG) else error,
            )
            stop.wait(pause)
            pause = min(2 * pause, _LONGEST_REST_SECONDS)
