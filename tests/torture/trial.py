"""One trial: a fresh hub, a random history, something terrible, and what came of it."""

from __future__ import annotations

import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.oracle.generate import Event, generate
from tests.oracle.log import Place, Record
from tests.torture.checking import IDLE_SECONDS, check, wait_until_idle
from tests.torture.load import Accepted, Load, put, scattered
from tests.torture.rig import Rig


@dataclass(slots=True)
class Outcome:
    """What a trial showed; it is passed if there are no differences."""

    fault: str
    seed: int
    events: int = 0
    seconds: float = 0.0
    recovery_seconds: float = 0.0
    killed: int = 0
    differences: list[str] = field(default_factory=list)


class Trial:
    """What a fault works with.

    Args:
        rig: an emptied hub.
        seed: of everything random in the trial.
        brief: whether it is the short version of the tests.
    """

    def __init__(self, rig: Rig, seed: int, *, brief: bool) -> None:
        self.rig = rig
        self.brief = brief
        self.random = random.Random(seed)
        self.accepted: list[Accepted] = []
        self.events = 0
        """Those that were not put into the log by the trial, but by the hub's connectors."""
        self.quarantined: set[Place] = set()
        self.earlier: list[Record] = []
        self.killed = 0
        self.recovery_seconds = 0.0
        self.differences: list[str] = []

    def history(
        self,
        events: int | None = None,
        *,
        customers: int = 0,
        poison: int = 26,
        tombstones: int = 5,
    ) -> list[Event]:
        """A random history of ``events`` records (by default as many as suit the trial)."""
        number = events or (1_200 if self.brief else 5_000)
        return generate(
            self.random.randrange(10**6),
            customers=customers or self.random.choice((6, 20, 60)),
            events=number,
            poison=poison,
            tombstones=tombstones,
        )

    def run_under(
        self,
        events: Sequence[Event],
        harm: Callable[[], None],
        *,
        seconds: float | None = None,
        scatter: bool = False,
        relayed: bool = True,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Do ``harm`` while ``events`` come in, then wait until the hub is idle, and check it.

        A third of the events lies in the log beforehand; the rest comes over ``seconds``.
        """
        if scatter:
            events = scattered(events, self.random)
        first = len(events) // 3
        self.accepted += put(self.rig.addresses.cluster, events[:first])
        if seconds is None:
            seconds = 4.0 if self.brief else 10.0
        load = Load(self.rig.addresses.cluster, events[first:], seconds)
        load.start()
        harm()
        self.accepted += load.finish()
        self.settle(relayed=relayed, idle_seconds=idle_seconds)

    def put_all(self, events: Sequence[Event], seconds: float = 0.0) -> None:
        """Put all events into the log, over so many seconds."""
        load = Load(self.rig.addresses.cluster, events, seconds)
        load.start()
        self.accepted += load.finish()

    def settle(self, *, relayed: bool = True, idle_seconds: float = IDLE_SECONDS) -> None:
        """Wait until the hub is idle, and add the differences between it and the log."""
        try:
            waited = wait_until_idle(self.rig, idle_seconds, outbox=relayed)
        except TimeoutError as error:
            self.differences.append(str(error))
            return
        self.recovery_seconds = max(self.recovery_seconds, waited)
        self.differences += check(
            self.rig,
            self.accepted,
            quarantined=self.quarantined,
            earlier=self.earlier,
            relayed=relayed,
        )

    def expect(self, holds: bool, what: str) -> None:
        """Note a difference unless something holds."""
        if not holds:
            self.differences.append(what)

    def pause(self, least: float, most: float) -> None:
        """Wait for a random time of ``least`` to ``most`` seconds."""
        time.sleep(self.random.uniform(least, most))

    def kill(self, name: str) -> None:
        """SIGKILL a supervised process, as soon as it runs."""
        self.rig.wait_for(name)
        if self.rig.signal(name, signal.SIGKILL):
            self.killed += 1

    def kill_server(self, name: str) -> None:
        """SIGKILL the broker or the database."""
        self.rig.kill_server(name)
        self.killed += 1


Fault = Callable[[Trial], None]


def attempt(rig: Rig, name: str, fault: Fault, seed: int, *, brief: bool) -> Outcome:
    """Run one trial; whatever goes wrong is among the differences."""
    began = time.monotonic()
    trial = Trial(rig, seed, brief=brief)
    with _noted_in(trial.differences):
        rig.empty()
        fault(trial)
    with _noted_in(trial.differences):
        rig.stop()
    rig.revives = True
    return Outcome(
        fault=name,
        seed=seed,
        events=len(trial.accepted) + trial.events,
        seconds=time.monotonic() - began,
        recovery_seconds=trial.recovery_seconds,
        killed=trial.killed,
        differences=trial.differences,
    )


@contextmanager
def _noted_in(differences: list[str]) -> Iterator[None]:
    """Let an error fail this trial only, and say where it was raised."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a broken hub raises is a finding
        place = traceback.extract_tb(error.__traceback__)[-1]
        differences.append(
            f"{type(error).__name__}: {error} ({place.filename}:{place.lineno}, {place.name})"
        )


def later(seconds: float, work: Callable[[], None]) -> threading.Timer:
    """Do something in a while, in a thread; ``join`` the result."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
    return timer
