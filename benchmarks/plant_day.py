"""A day of the plant at 10,000 customers: not measured yet, its documents cannot be made yet."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measured import Figure


def plant_day(config: Path, folder: Path) -> list[Figure]:
    """Measure the day; no figure so far.

    Args:
        config: of a hub that holds nothing and is not up.
        folder: a place for the day's files, removed afterwards.
    """
    return []
