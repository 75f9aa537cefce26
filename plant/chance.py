"""Chance in the world: draws from a given generator, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate
from math import exp
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """A choice between things that are not equally likely."""

    __slots__ = ("_bounds", "_things")

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        """Take (thing, weight) pairs, at least one; the weights need not add up to 1."""
        pairs = list(weighted)
        self._things: Sequence[T] = [thing for thing, _ in pairs]
        self._bounds = list(accumulate(weight for _, weight in pairs))

    def draw(self, chance: Random) -> T:
        """Return one of the things."""
        return chance.choices(self._things, cum_weights=self._bounds)[0]


def happens(chance: Random, probability: float) -> bool:
    """Whether something of this probability happens."""
    return chance.random() < probability


def lognormal(chance: Random, median: float, spread: float) -> float:
    """Return a positive number that is as often below ``median`` as above.

    ``spread`` is the standard deviation of its natural logarithm.
    """
    return median * exp(chance.gauss(0.0, spread))


def poisson(chance: Random, mean: float) -> int:
    """Return how often something happens that happens ``mean`` times on average."""
    if mean > 30.0:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    limit, count, product = exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count


def days_after(chance: Random, day: date, median: float, spread: float = 0.6) -> date:
    """Return a later day: at least the next one, ``median`` days later half of the time."""
    return day + timedelta(days=max(1, round(lognormal(chance, median, spread))))
