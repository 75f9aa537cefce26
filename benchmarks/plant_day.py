"""The plant: how fast it is made, and a day of 10,000 customers from its exports to the views."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measured import Figure, say
from hub.settings import load_settings
from ops.running import Hub, Outcome, Progress
from plant.generate import Generated, generate
from plant.parameters import Parameters

CUSTOMERS = 10_000
_MONTHS, _SEED = 1, 1

#: The plant's history ends on a Tuesday, the day that is measured is the Wednesday after it.
HISTORY_UNTIL, DAY = date(2024, 1, 16), date(2024, 1, 17)

#: A judgement: exports are written by the day or by the hour, so a minute adds nothing to the age
#: of what is seen, and who has just written them can wait for the views.
LIMIT_S = 60.0


class NotTaken(Exception):
    """The hub did not take in what the plant has written: there is nothing to measure."""


class Stopwatch:
    """Times a bounded run of a hub from the first source that is read to all published."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._began: float | None = None
        self._seen = 0.0

    def look(self, progress: Progress) -> None:
        """Note how far the run is; what the hub decides at the last look is that it is over."""
        self._seen = self._clock()
        if self._began is None and any(one["state"] != "waiting" for one in progress.sources):
            self._began = self._seen

    @property
    def seconds(self) -> float:
        """How long it took.

        Raises:
            NotTaken: no source was read.
        """
        if self._began is None:
            raise NotTaken("no source was read")
        return self._seen - self._began


def plant_day(folder: Path, customers: int = CUSTOMERS) -> list[Figure]:
    """Measure the day, of a plant that the hub has taken in for two weeks before.

    The systems' files go on where the hub has left off. Connectors, worker and relay all take part;
    the clock runs from the first source that is read, when the processes have started, to when the
    hub finds everything published. The plant is played anew to that day before, off the clock.

    Args:
        folder: an empty one, for the plant and its hub.
        customers: of the plant.

    Raises:
        NotTaken: the hub holds something else than the plant.
    """
    plant = folder / "plant"
    say(f"a plant of {customers:,} customers until {HISTORY_UNTIL}")
    history = generate(_until(HISTORY_UNTIL, customers), plant)
    config = plant / "headrace.yaml"
    with Hub(load_settings(config), config) as hub:
        say(f"  {history.rows:,} rows into the hub")
        documents, seconds = _taken(hub, history)
        say(f"the day {DAY}")
        grown = generate(_until(DAY, customers), plant)
        of_day, day_seconds = _taken(hub, grown)
    who = f"{customers:,} customers"
    return [
        Figure(f"plant of {who}, two weeks into an empty hub", documents / seconds, "documents/s"),
        Figure(f"plant of {who}, rows of a day", grown.rows - history.rows, "rows"),
        Figure(f"plant of {who}, documents of a day", of_day, "documents"),
        Figure(
            f"plant of {who}, a day from its files to published views",
            day_seconds,
            "s",
            "limit",
            target=LIMIT_S,
            at_least=False,
        ),
        Figure(f"plant of {who}, a day", of_day / day_seconds, "documents/s"),
        Figure(f"plant of {who}, making it until that day", grown.seconds, "s"),
    ]


def making(folder: Path, customers: int, months: int, limit_s: float | None = None) -> Figure:
    """Measure how long it takes to write the exports of a plant, of all its systems.

    Args:
        folder: an empty one.
        customers: of the plant.
        months: that it is played.
        limit_s: in how many seconds it is to be done.
    """
    say(f"making a plant of {customers:,} customers and {months} months")
    made = generate(Parameters.of(customers, months, _SEED), folder)
    return Figure(
        f"plant of {customers:,} customers, making {months} months of it",
        *(made.seconds, "s", "" if limit_s is None else "limit"),
        target=limit_s,
        at_least=False,
    )


def _until(day: date, customers: int) -> Parameters:
    return Parameters.of(customers, _MONTHS, _SEED, day)


def _taken(hub: Hub, plant: Generated) -> tuple[int, float]:
    """Let the hub take in what is new; return how many versions of documents it took, and seconds.

    Raises:
        NotTaken: the hub holds something else than the plant.
    """
    watch = Stopwatch()
    outcome = hub.until_idle(watch.look)
    if outcome.problems:
        raise NotTaken("; ".join(outcome.problems))
    truth = {one["type"]: dict(one) for one in plant.documents if one["count"]}
    if (held := _held(outcome)) != truth:
        raise NotTaken(f"the hub holds {held}, the plant {truth}")
    return sum(one["published"] for one in outcome.sources), watch.seconds


def _held(outcome: Outcome) -> Mapping[str, Mapping[str, Any]]:
    return {
        kind: {
            "type": kind,
            "count": one.count,
            "deleted": one.deleted,
            "cancelled": one.cancelled,
        }
        for kind, one in outcome.after.documents.items()
        if one.count
    }
