"""A whole plant: its exports come twice, shuffled and late, while processes are killed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from hub.kafka import log_ranges, partitions_of
from schemas.catalogue import TOPICS
from tests.oracle.asking import ask_letters
from tests.plant.plants import Plant, make_plant
from tests.plant.reading import wait_until_read
from tests.plant.rejects import expected_rejects, reject_differences
from tests.plant.ways import bring, deliver_twice, hold_back, shuffle_lines
from tests.torture.trial import Trial

_LATER = 0.4
_PORTIONS = 3
_KILLED = ("connectors", "worker-0", "relay")
#: How long the sources may take to be read, once nobody harms the hub any more.
_READ_SECONDS = 180.0
_IDLE_SECONDS = 120.0

Held = Sequence[tuple[Path, Path]]


def plant(trial: Trial) -> None:
    """A plant's exports, twice, shuffled, and a part of them late, with SIGKILLs on the way."""
    rig = trial.rig
    customers, months = (30, 4) if trial.brief else (250, 12)
    folder = rig.config.parent / "plant"
    shutil.rmtree(folder, ignore_errors=True)
    made = make_plant(
        folder, customers=customers, months=months, seed=trial.random.randrange(10**6)
    )
    made.configure(data=str(rig.settings.data))
    expected = expected_rejects(made, complete=False)
    deliver_twice(made)
    shuffle_lines(made, trial.random)
    held = hold_back(made, trial.random, _LATER)
    rig.use(made.config)
    rig.start(1, connectors=True)
    for number in range(_PORTIONS):
        trial.pause(1.0, 6.0)
        trial.kill(trial.random.choice(_KILLED))
        bring(held[number::_PORTIONS])
    _settle(trial, made)
    letters = ask_letters(rig.addresses.database_url)
    trial.differences += reject_differences(made, letters, expected)


def _settle(trial: Trial, made: Plant) -> None:
    rig = trial.rig
    wait_until_read(made.settings, rig.addresses.database_url, _READ_SECONDS)
    trial.settle(idle_seconds=_IDLE_SECONDS)
    topics = [topic.name for topic in TOPICS.values() if topic.kind == "event"]
    cluster = rig.addresses.cluster
    ranges = log_ranges(cluster, partitions_of(cluster, topics))
    trial.events = sum(end - begin for begin, end in ranges.values())
