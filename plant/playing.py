"""The play: which parts of the world act on each day, and in which order."""

from __future__ import annotations

from plant.market import customers, needing, people, rating, selling, targeting
from plant.market.opening import open_plant
from plant.parameters import Parameters
from plant.truth import Truth
from plant.works import calling, making, serving
from plant.world import Listener, World

#: In this order.
EACH_DAY = (
    rating.daily,
    targeting.daily,
    people.daily,
    customers.daily,
    selling.daily,
    needing.daily,
    making.daily,
    serving.daily,
    calling.daily,
)


def play(parameters: Parameters, listener: Listener) -> Truth:
    """Play a plant from its first day to ``parameters.until``, telling ``listener`` all of it.

    Returns:
        What was really so.
    """
    truth = Truth()
    World(parameters, listener, truth).play(open_plant, EACH_DAY)
    return truth
