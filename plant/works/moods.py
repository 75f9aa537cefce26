"""How a customer feels about us before it tells anybody that it leaves."""

from __future__ import annotations

from plant.world import World

_DAYS_BEFORE = 65


def is_unhappy(world: World, customer: int) -> bool:
    """Whether a customer is about to leave: it calls and complains more than others."""
    leaving_on = world.buyers[customer].leaving_on
    return leaving_on is not None and 0 <= (leaving_on - world.today).days <= _DAYS_BEFORE
