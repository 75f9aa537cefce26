"""Times of day of what is done on a day and written down on the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from plant.world import World


def yesterday(world: World) -> date:
    """Return the day before today: what happened on it is recorded today."""
    return world.today - timedelta(days=1)


def at(day: date, hour: float) -> datetime:
    """Return an hour of a day as a local time without zone, in whole seconds."""
    return datetime.combine(day, datetime.min.time()) + timedelta(seconds=int(hour * 3600))


def in_office_hours(chance: Random, day: date) -> datetime:
    """Return a moment of the day between half past eight and half past five."""
    return at(day, chance.uniform(8.5, 17.5))
