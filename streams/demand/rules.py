"""Demand as pure rules: which lines ask production for what, when, and with what chance.

Definitions: DOMAIN §4. Built so far: orders, and the pipeline by the default chances of stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.keys import reference_key

ZERO = Decimal(0)


class Line(NamedTuple):
    """A line of an order or opportunity as demand needs it.

    ``stage`` is None for an order's line; ``since`` and ``until`` bound the business dates on
    which the document counts (``until`` is the first on which it no longer does).
    """

    document: str
    key: str
    number: str
    product_key: str | None
    demand_on: date | None
    quantity: Decimal | None
    stage: str | None
    since: date
    until: date | None
    opportunity_key: str | None


@dataclass(frozen=True, slots=True)
class Month:
    """The demand for one product in one month, in units."""

    orders: Decimal
    pipeline: Decimal

    @property
    def total(self) -> Decimal:
        """Orders and pipeline together."""
        return self.orders + self.pipeline


class ProductRecord(NamedTuple):
    """What a product document says of itself; ``same_as`` are keys of the same in other systems."""

    key: str
    name: str | None
    same_as: Sequence[str]


@dataclass(frozen=True, slots=True)
class Products:
    """Which records are one product.

    ``smallest`` is the smallest key of each record's product, ``names`` are the products' names by
    that key: that of the first record, by key, that states one.
    """

    smallest: Mapping[str, str]
    names: Mapping[str, str]

    def of(self, key: str) -> str:
        """Return the smallest key of the product of a record, also of one that is only named."""
        return self.smallest.get(key, key)


def product_of(key: str, document: Mapping[str, Any]) -> ProductRecord:
    """Read what demand needs of a product document."""
    same_as = {reference_key(reference) for reference in document["same_as"]}
    return ProductRecord(key, document["name"], sorted(same_as))


def group_products(records: Iterable[ProductRecord]) -> Products:
    """Group records, and the keys that they name, into products by their cross-references."""
    root: dict[str, str] = {}

    def find(key: str) -> str:
        root.setdefault(key, key)
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    stated: dict[str, str] = {}
    for record in records:
        find(record.key)
        if record.name is not None:
            stated[record.key] = record.name
        for other in record.same_as:
            low, high = sorted((find(record.key), find(other)))
            root[high] = low
    names = {find(key): stated[key] for key in sorted(stated, reverse=True)}
    return Products({key: find(key) for key in root}, names)


def _key(reference: Mapping[str, Any] | None) -> str | None:
    return reference_key(reference) if reference else None


def lines_of_order(key: str, document: Mapping[str, Any], delivery_days: int) -> list[Line]:
    """Return the lines of an order that ask for goods: those not rejected."""
    if document["status"] == "cancelled" and document["cancelled_on"] is None:
        return []
    ordered_on = document["ordered_on"]
    return [
        Line(
            "order",
            key,
            line["number"],
            _key(line["product"]),
            line["wanted_on"] or ordered_on + timedelta(days=delivery_days),
            line["quantity"],
            None,
            ordered_on,
            document["cancelled_on"],
            _key(document["opportunity"]),
        )
        for line in document["lines"]
        if not line["rejected"]
    ]


def lines_of_opportunity(key: str, document: Mapping[str, Any], delivery_days: int) -> list[Line]:
    """Return the lines of an opportunity with its stage (``won`` and ``lost`` by its outcome).

    One that does not say when it was opened counts from the day of its event on.
    """
    opened_on = document["opened_on"] or document["occurred_at"].date()
    stage = document["outcome"] or document["stage"]
    close_on = document["expected_close_on"]
    otherwise = close_on + timedelta(days=delivery_days) if close_on else None
    return [
        Line(
            "opportunity",
            key,
            line["number"],
            _key(line["product"]),
            line["wanted_on"] or otherwise,
            line["quantity"],
            stage,
            opened_on,
            None,
            key,
        )
        for line in document["lines"]
    ]


def month_of(day: date) -> date:
    """Return the first day of the month."""
    return day.replace(day=1)


def demand_by_month(
    lines: Iterable[Line],
    as_of: date,
    chances: Mapping[str, Decimal],
    threshold: Decimal,
) -> dict[tuple[str, date], Month]:
    """Return the demand per (product key, first of month) from everything known at ``as_of``.

    Orders count with their lines' quantity. An open opportunity's line counts with quantity ×
    chance where it meets the quality threshold (product, quantity and date present, chance not
    below ``threshold``); a won one with what of its quantity no order that names it has taken.
    """
    orders: dict[tuple[str, date], Decimal] = {}
    pipeline: dict[tuple[str, date], Decimal] = {}
    ordered: dict[tuple[str, str], Decimal] = {}
    won: list[Line] = []
    for line in lines:
        if line.since > as_of or (line.until is not None and line.until <= as_of):
            continue
        if line.product_key is None or line.quantity is None or line.demand_on is None:
            continue
        place = (line.product_key, month_of(line.demand_on))
        if line.stage is None:
            orders[place] = orders.get(place, ZERO) + line.quantity
            if line.opportunity_key is not None:
                taken = (line.opportunity_key, line.product_key)
                ordered[taken] = ordered.get(taken, ZERO) + line.quantity
        elif line.stage == "won":
            won.append(line)
        elif (chance := chances[line.stage]) >= threshold and chance > 0:
            pipeline[place] = pipeline.get(place, ZERO) + line.quantity * chance
    for line in sorted(won, key=lambda line: (line.key, line.demand_on, line.number)):
        assert line.product_key and line.quantity is not None and line.demand_on
        taken = (line.key, line.product_key)
        # Orders may come to less than nothing (returns): they take nothing then.
        covered = min(line.quantity, max(ZERO, ordered.get(taken, ZERO)))
        ordered[taken] = ordered.get(taken, ZERO) - covered
        place = (line.product_key, month_of(line.demand_on))
        pipeline[place] = pipeline.get(place, ZERO) + line.quantity - covered
    return {
        place: Month(orders.get(place, ZERO), pipeline.get(place, ZERO))
        for place in sorted(orders.keys() | pipeline.keys())
    }
