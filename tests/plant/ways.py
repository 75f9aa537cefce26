"""The exports of a plant delivered in other ways: every file twice, in any order, some later."""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from tests.plant.plants import Plant
from tests.plant.written import records_of, units_of

AGAIN = "again"
_LATER = "later"


def deliver_twice(plant: Plant) -> int:
    """Copy every file into a folder beside it; return how many there were."""
    number = 0
    for folder in plant.exports().values():
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in files:
            copy = folder / AGAIN / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        number += len(files)
    return number


def shuffle_lines(plant: Plant, rng: random.Random) -> int:
    """Bring the records of every file into a random order; return how many there were.

    Records of one key keep their order: where contents have no precise time it says which is
    newer.
    """
    number = 0
    for unit in units_of(plant):
        head, records = records_of(unit)
        by_key: dict[Hashable, list[bytes]] = defaultdict(list)
        order = []
        for record in records:
            by_key[record.key].append(record.content)
            order.append(record.key)
        rng.shuffle(order)
        for queue in by_key.values():
            queue.reverse()
        unit.path.write_bytes(head + b"".join(by_key[key].pop() for key in order))
        number += len(order)
    return number


def hold_back(plant: Plant, rng: random.Random, share: float) -> Sequence[tuple[Path, Path]]:
    """Take a random share of the files away, and return where they are and where they belong."""
    held = []
    for source, folder in plant.exports().items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and rng.random() < share:
                place = plant.folder / _LATER / source / path.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                path.rename(place)
                held.append((place, path))
    return held


def bring(held: Sequence[tuple[Path, Path]]) -> None:
    """Put files that were held back where they belong."""
    for place, path in held:
        place.rename(path)
