"""One run of the hub: its servers, its processes, and when everything is processed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import make_url

from api.addresses import address_of
from hub.kafka import Cluster, KafkaError
from hub.policy import load_policy
from hub.settings import Settings
from ops.embedded.folder import log_folder, run_folder
from ops.observer import Observer
from ops.positions_check import position_problem
from ops.registering import register_contracts
from ops.source_runs import Journal, check_sources
from ops.stack import Stack
from ops.status import DocumentCount, LetterCount, count_documents, count_letters
from ops.supervisor import Command, Supervisor
from ops.telemetry import metrics_environment, serving_metrics
from sinks.database import engine
from sinks.positions import GROUP

_OBSERVE_SECONDS = 0.3
#: A process that ended so often, with nothing processed for so long, will not get on by itself.
_HOPELESS_RESTARTS = 5
_HOPELESS_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bounded run is."""

    sources: Sequence[Mapping[str, Any]]
    behind: int | None
    outbox: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the database held at one moment."""

    documents: Mapping[str, DocumentCount]
    letters: tuple[LetterCount, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bounded run did; everything was processed if there are no ``problems``."""

    problems: tuple[str, ...]
    sources: Sequence[Mapping[str, Any]]
    before: Counts
    after: Counts
    seconds: float


class Hub:
    """The hub of one data folder, up while it is entered.

    Args:
        settings: of the hub.
        config: the file that they were loaded from, if it was named.

    Entering raises what ``Stack`` and ``register_contracts`` do, and SettingsError where its
    metrics can't be served.
    """

    def __init__(self, settings: Settings, config: Path | None) -> None:
        self.settings = settings
        self._config = config
        self._undo = ExitStack()
        self._problems: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            register_contracts(self.settings)
            self._stack = undo.enter_context(Stack(self.settings))
            self.addresses = self._stack.addresses
            self._metrics = undo.enter_context(serving_metrics(self.settings))
            _wake_coordinator(self.addresses.cluster)
            self._observer = undo.enter_context(Observer(self.addresses, _OBSERVE_SECONDS))
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def where(self) -> list[tuple[str, str]]:
        """What any client needs to connect, by name; without passwords."""
        url = make_url(self.addresses.database_url)._replace(drivername="postgresql", password=None)
        data = self.settings.data
        database = url.render_as_string()
        if self.settings.database == "embedded":
            database += f"  (password in {data / 'postgres.password'})"
        found = [
            ("Kafka", ", ".join(self.addresses.cluster.bootstrap_servers)),
            ("PostgreSQL", database),
            ("Logs", str(data / "logs")),
        ]
        if self.settings.api is not None:
            found.append(("HTTP", address_of(self.settings.api)))
        if self._metrics is not None:
            found.append(("Metrics", self._metrics))
        return found

    def follow(self) -> list[str]:
        """Run until SIGINT or SIGTERM; returns why it ended by itself, if it did.

        Raises:
            PositionError: a topic was created again, or its log does not hold our position.
        """
        self._refuse_lost_positions()
        supervisor = self._supervisor(bounded=False)
        lost: list[str] = []

        def done() -> bool:
            lost[:] = [name for name, state in supervisor.states().items() if state == "given up"]
            return bool(lost)

        supervisor.run(done)
        return [self._why(name) for name in lost]

    def until_idle(
        self, on_progress: Callable[[Progress], None], *, read_sources: bool = True
    ) -> Outcome:
        """Read all sources to their ends, process everything, and stop.

        Args:
            on_progress: called ten times a second.
            read_sources: without it, only what the topics hold is processed.

        Raises:
            PositionError: a topic was created again, or its log does not hold our position.
        """
        self._refuse_lost_positions()
        began = time.monotonic()
        before = self._counts()
        supervisor = self._supervisor(bounded=True, read_sources=read_sources)
        watch = _IdleWatch(self, supervisor, self._observer, on_progress)
        supervisor.run(watch.is_over)
        sources = Journal.read(self.settings.data)
        problems = list(watch.problems)
        problems += [f"source {one['source']}: {one['error']}" for one in sources if one["error"]]
        if not watch.idle and not problems:
            problems.append("stopped before everything was processed")
        return Outcome(tuple(problems), sources, before, self._counts(), time.monotonic() - began)

    def _refuse_lost_positions(self) -> None:
        problem = position_problem(self.addresses)
        if problem is not None:
            raise problem

    def _supervisor(self, *, bounded: bool, read_sources: bool = True) -> Supervisor:
        Journal.clear(self.settings.data)
        wanted = commands(self.settings, self._config, bounded=bounded)
        return Supervisor(
            self.settings.data,
            [one for one in wanted if read_sources or one.name != "connectors"],
            revive=self._stack.revive,
            progress=self._observer.lags,
        )

    def _counts(self) -> Counts:
        database = engine(self.addresses.database_url)
        try:
            with database.connect() as connection:
                return Counts(
                    {one.document: one for one in count_documents(connection)},
                    tuple(count_letters(connection)),
                )
        finally:
            database.dispose()

    def _why(self, process: str) -> str:
        """Why a process was given up, from the last error in its log."""
        log = log_folder(self.settings.data) / f"{process}.log"
        return f"{process} cannot go on: {last_error(log) or 'it says not why'} (see {log})"


class _IdleWatch:
    """Decides whether a bounded run is over, called between the supervisor's ticks."""

    def __init__(
        self,
        hub: Hub,
        supervisor: Supervisor,
        observer: Observer,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._hub = hub
        self._supervisor = supervisor
        self._observer = observer
        self._on_progress = on_progress
        self._read_at: float | None = None
        self._moved_at = time.monotonic()
        self._moved_to: object = None
        self._restarts: dict[str, int] = {}
        self.idle = False
        self.problems: list[str] = []

    def is_over(self) -> bool:
        """Whether everything is processed, or something can't be."""
        states = self._supervisor.states()
        seen = self._observer.latest
        backlog = seen.backlog if seen is not None else None
        data = self._hub.settings.data
        sources = Journal.read(data)
        self._on_progress(
            Progress(
                sources,
                backlog.records if backlog else None,
                backlog.outbox if backlog else None,
            )
        )
        lost = [name for name, state in states.items() if state == "given up"]
        if any(name != "connectors" for name in lost):
            self.problems += [self._hub._why(name) for name in lost]
            return True
        if self._is_hopeless((sources, backlog)):
            return True
        if states.get("connectors", "ended") not in ("ended", "given up"):
            return False
        if self._read_at is None:
            self._read_at = time.monotonic()
        self.idle = seen is not None and seen.began > self._read_at and seen.backlog.is_empty
        if self.idle and lost and not any(one["error"] for one in sources):
            self.problems.append(self._hub._why("connectors"))
        return self.idle

    def _is_hopeless(self, reached: object) -> bool:
        """Whether processes keep ending and nothing moves."""
        now = time.monotonic()
        restarts = restarts_of(self._hub.settings.data)
        if reached != self._moved_to:
            self._moved_to, self._moved_at, self._restarts = reached, now, restarts
        if now - self._moved_at < _HOPELESS_SECONDS:
            return False
        for name, times in restarts.items():
            ended = times - self._restarts.get(name, 0)
            if ended >= _HOPELESS_RESTARTS:
                self.problems.append(f"{self._hub._why(name)}, it ended {ended} times")
        return bool(self.problems)


def commands(settings: Settings, config: Path | None, *, bounded: bool) -> list[Command]:
    """The processes of a hub: workers, the relay, the connectors, and the HTTP door if it has one.

    A bounded run ends with its sources, and nobody calls it.
    """
    named = () if config is None else ("--config", str(config.absolute()))
    # -P: a folder of the user's that is named like one of our packages must not hide it.
    ours = (sys.executable, "-P", "-m", "ops.cli")
    shared = metrics_environment(settings)
    workers = [
        Command(
            f"worker-{slot}",
            (*ours, "worker", "--slot", str(slot), *named),
            slot=slot,
            environment=shared,
        )
        for slot in range(settings.workers)
    ]
    reading = (*ours, "connectors", *(("--bounded",) if bounded else ()), *named)
    door = Command("api", (*ours, "api", *named), environment=shared)
    return [
        *workers,
        Command("relay", (*ours, "relay", *named), environment=shared),
        Command("connectors", reading, finishes=bounded, environment=shared),
        *([] if bounded or settings.api is None else [door]),
    ]


def _wake_coordinator(cluster: Cluster) -> None:
    """Have a new broker make its topic of groups now, and not when the workers first ask."""
    with suppress(KafkaError), cluster.admin() as admin:
        admin.describe_groups([GROUP])


def check_configuration(settings: Settings, *, paths: bool) -> None:
    """Find what is wrong in the policy and the mappings before anything is started.

    Raises:
        SettingsError, MappingError, SourcePathError: it is.
    """
    load_policy(settings.policy)
    check_sources(settings, paths=paths)


def last_error(log: Path) -> str | None:
    """The text of the last error in a process's log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") in ("error", "critical"):
            return str(entry.get("error") or entry.get("event"))
    return None


def restarts_of(data: Path) -> dict[str, int]:
    """How often each process of this run was started again."""
    try:
        state = json.loads((run_folder(data) / "supervisor.json").read_text())
        return {entry["name"]: entry["restarts"] for entry in state["processes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
