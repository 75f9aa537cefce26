"""Reads the demand per product and month as of a date."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

from hub.policy import Policy
from streams.demand.rules import Line, demand_by_month

_COLUMNS = ", ".join(Line._fields)


@dataclass(frozen=True, slots=True)
class DemandRow:
    """The demand for one product in the month that begins at ``month``, in units."""

    product: str
    product_name: str | None
    month: date
    orders: Decimal
    pipeline: Decimal
    total: Decimal


def read_demand(
    connection: psycopg.Connection[Any],
    *,
    as_of: date,
    policy: Policy,
    products: Collection[str] | None = None,
) -> list[DemandRow]:
    """Return the demand by product and month from what is known at ``as_of`` (DOMAIN §4).

    Records of one product in several systems (cross-references) count as the smallest key of them.

    Args:
        products: only these product keys, and whatever is the same product; all where None.
    """
    canonical, names = read_products(connection)
    query, parameters = f"SELECT {_COLUMNS} FROM demand_lines", None
    if products is not None:
        wanted = {canonical.get(key, key) for key in products}
        same = {key for key, smallest in canonical.items() if smallest in wanted} | wanted
        # An opportunity's lines and the orders that take from it must be seen together.
        query += " WHERE product_key = ANY(%s)"
        parameters = (sorted(same),)
    lines = []
    for row in connection.execute(query, parameters):
        line = Line(*row)
        product = canonical.get(line.product_key or "")
        lines.append(line if product is None else line._replace(product_key=product))
    demand = demand_by_month(lines, as_of, policy.stage_chances, policy.chance_threshold)
    return [
        DemandRow(product, names.get(product), month, one.orders, one.pipeline, one.total)
        for (product, month), one in demand.items()
        if one.orders or one.pipeline
    ]


def read_products(
    connection: psycopg.Connection[Any],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the smallest key of each product's records, and the products' names by that key."""
    root: dict[str, str] = {}

    def find(key: str) -> str:
        root.setdefault(key, key)
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    stated: dict[str, str] = {}
    for key, name, same_as in connection.execute(
        "SELECT key, name, same_as FROM product_records ORDER BY key"
    ):
        find(key)
        if name is not None:
            stated[key] = name
        for other in same_as:
            low, high = sorted((find(key), find(other)))
            root[high] = low
    names: dict[str, str] = {}
    for key in sorted(stated, reverse=True):
        names[find(key)] = stated[key]
    return {key: find(key) for key in root}, names
