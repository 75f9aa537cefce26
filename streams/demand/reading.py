"""Reads the demand per product and month as of a date."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

from hub.policy import Policy
from streams.demand.products import read_products
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
    known = read_products(connection, products)
    query, parameters = f"SELECT {_COLUMNS} FROM demand_lines", None
    if products is not None:
        # An opportunity's lines and the orders that take from it must be seen together.
        query += " WHERE product_key = ANY(%s)"
        parameters = (sorted(known.smallest.keys() | set(products)),)
    lines = []
    for row in connection.execute(query, parameters):
        line = Line(*row)
        product = known.smallest.get(line.product_key or "")
        lines.append(line if product is None else line._replace(product_key=product))
    demand = demand_by_month(lines, as_of, policy.stage_chances, policy.chance_threshold)
    return [
        DemandRow(product, known.names.get(product), month, one.orders, one.pipeline, one.total)
        for (product, month), one in demand.items()
        if one.orders or one.pipeline
    ]
