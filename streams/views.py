"""The views that are published: reads them for the relay, from the keys that the streams marked.

A published view holds everything that is known, whatever its date; figures as of a date are asked
for (`headrace show`, the SQL views), since they change with every day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from hub.ids import customer_uuid
from hub.money import round_half_up
from hub.policy import Policy
from sinks.relay import ReadViews, View
from streams.customers import stream as customers_stream
from streams.customers.names import hub_ids, names_of
from streams.demand import stream as demand_stream
from streams.demand.products import read_products
from streams.demand.reading import DemandRow, read_demand

CUSTOMER_VIEW = "view.customer.v1"
RECEIVABLE_VIEW = "view.receivable.v1"
DEMAND_VIEW = "view.demand.v1"

#: Digits after the point of a decimal in a contract; quantity × chance may have more.
CONTRACT_DIGITS = 9


def view_readers(
    policy: Policy, source_order: Sequence[str]
) -> Mapping[str, Mapping[str, ReadViews]]:
    """Return, for each subject that the streams mark, its view topics and what reads them.

    Args:
        source_order: the ranking of sources for the customers' names.
    """
    return {
        customers_stream.SUBJECT: {
            CUSTOMER_VIEW: lambda connection, keys: customers(connection, keys, source_order),
            RECEIVABLE_VIEW: lambda connection, keys: receivables(connection, keys, source_order),
        },
        customers_stream.OF_HUB: {
            CUSTOMER_VIEW: lambda connection, ids: _of_hubs(
                connection, ids, lambda keys: customers(connection, keys, source_order)
            ),
            RECEIVABLE_VIEW: lambda connection, ids: _of_hubs(
                connection, ids, lambda keys: receivables(connection, keys, source_order)
            ),
        },
        demand_stream.SUBJECT: {
            DEMAND_VIEW: lambda connection, keys: demand(connection, keys, policy),
        },
        demand_stream.OF_OPPORTUNITY: {
            DEMAND_VIEW: lambda connection, keys: demand(
                connection, months_of_opportunities(connection, keys), policy
            ),
        },
        demand_stream.OF_PRODUCT: {
            DEMAND_VIEW: lambda connection, keys: demand(
                connection, months_of_products(connection, keys), policy
            ),
        },
    }


def _of_hubs(
    connection: psycopg.Connection[Any],
    ids: Sequence[str],
    read: Callable[[Sequence[str]], dict[str, View | None]],
) -> dict[str, View | None]:
    """Return what ``read`` says of the records of these customers; None for ids that are none."""
    keys = connection.execute(
        "SELECT key FROM customer_members WHERE hub_id = ANY(%b::uuid[])", (list(ids),)
    ).fetchall()
    return {**dict.fromkeys(ids), **read([key for (key,) in keys])}


def _members(
    connection: psycopg.Connection[Any], keys: Sequence[str]
) -> tuple[dict[UUID, set[str]], set[UUID]]:
    """Return the members of the customers of ``keys``, and ids that are no customer (any more)."""
    hubs = hub_ids(connection, keys)
    members: dict[UUID, set[str]] = defaultdict(set)
    for key, hub in hubs.items():
        members[hub].add(key)
    for key, hub in connection.execute(
        "SELECT key, hub_id FROM customer_members WHERE hub_id = ANY(%b)", (list(members),)
    ):
        members[hub].add(key)
    # A record that now belongs to another customer may once have given its id to one.
    absorbed = {customer_uuid(key) for key in keys} - members.keys()
    return members, absorbed


def customers(
    connection: psycopg.Connection[Any], keys: Sequence[str], source_order: Sequence[str]
) -> dict[str, View | None]:
    """Return ``view.customer.v1`` of the customers of these record keys; None for absorbed ones."""
    members, absorbed = _members(connection, keys)
    hub_of = {key: hub for hub, found in members.items() for key in found}
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[UUID, list[date]] = defaultdict(list)
    for key, document, number, first, last in connection.execute(
        """
        SELECT customer_key, document, count(*), min(on_date), max(on_date)
        FROM customer_documents WHERE customer_key = ANY(%b) GROUP BY customer_key, document
        """,
        (list(hub_of),),
    ):
        counts[hub_of[key]][document] += number
        if document == "order":
            days[hub_of[key]] += [first, last]
    introduced = {
        key
        for (key,) in connection.execute(
            "SELECT key FROM customer_records WHERE key = ANY(%b)", (list(hub_of),)
        )
    }
    names = names_of(connection, members, source_order)
    views: dict[str, View | None] = {str(hub): None for hub in absorbed}
    for hub, found in members.items():
        if not counts[hub] and not found & introduced:
            views[str(hub)] = None
            continue
        views[str(hub)] = {
            "id": str(hub),
            "name": names.get(hub, (None, None))[0],
            "members": [_reference(key) for key in sorted(found)],
            "orders": counts[hub]["order"],
            "shipments": counts[hub]["shipment"],
            "invoices": counts[hub]["invoice"],
            "payments": counts[hub]["payment"],
            "opportunities": counts[hub]["opportunity"],
            "first_order_on": min(days[hub], default=None),
            "last_order_on": max(days[hub], default=None),
        }
    return views


def receivables(
    connection: psycopg.Connection[Any], keys: Sequence[str], source_order: Sequence[str]
) -> dict[str, View | None]:
    """Return ``view.receivable.v1`` of the customers of these record keys."""
    members, absorbed = _members(connection, keys)
    hub_of = {key: hub for hub, found in members.items() for key in found}
    balances: dict[UUID, dict[str, list[Any]]] = defaultdict(dict)
    for key, currency, open_amount, unallocated, items in connection.execute(
        """
        SELECT customer_key, currency, open_amount, unallocated, items
        FROM receivable_balances WHERE customer_key = ANY(%b)
        """,
        (list(hub_of),),
    ):
        sums = balances[hub_of[key]].setdefault(currency, [Decimal(0), Decimal(0), 0])
        sums[0] += open_amount
        sums[1] += unallocated
        sums[2] += items
    names = names_of(connection, members, source_order)
    views: dict[str, View | None] = {str(hub): None for hub in absorbed}
    for hub in members:
        views[str(hub)] = {
            "id": str(hub),
            "name": names.get(hub, (None, None))[0],
            "balances": [
                {
                    "currency": currency,
                    "outstanding": open_amount + unallocated,
                    "open_amount": open_amount,
                    "unallocated": unallocated,
                    "items": items,
                }
                for currency, (open_amount, unallocated, items) in sorted(balances[hub].items())
            ],
        }
    return views


def demand(
    connection: psycopg.Connection[Any], keys: Sequence[str], policy: Policy
) -> dict[str, View | None]:
    """Return ``view.demand.v1`` of these months (``product key|YYYY-MM``), everything known."""
    named = [(product, month) for product, _, month in (key.rpartition("|") for key in keys)]
    known = read_products(connection, {product for product, _ in named})
    places = {(known.of(product), month) for product, month in named}
    rows: dict[tuple[str, str], DemandRow] = {
        (row.product, f"{row.month:%Y-%m}"): row
        for row in read_demand(
            connection,
            as_of=date.max,
            policy=policy,
            products={product for product, _ in places},
        )
    }
    views: dict[str, View | None] = {}
    for product, month in places:
        row = rows.get((product, month))
        views[f"{product}|{month}"] = None if row is None else _demand_view(product, month, row)
    for key in keys:
        # A month that now counts with another record of the same product has no view of its own.
        views.setdefault(key, None)
    return views


def _demand_view(product: str, month: str, row: DemandRow) -> View:
    return {
        "product": _reference(product),
        "product_name": row.product_name,
        "month": month,
        "orders": round_half_up(row.orders, CONTRACT_DIGITS),
        "pipeline": round_half_up(row.pipeline, CONTRACT_DIGITS),
        "total": round_half_up(row.total, CONTRACT_DIGITS),
    }


def months_of_opportunities(connection: psycopg.Connection[Any], keys: Sequence[str]) -> list[str]:
    """Return the keys of the months in which these opportunities have lines."""
    rows = connection.execute(
        "SELECT DISTINCT product_key, demand_on FROM demand_lines"
        " WHERE opportunity_key = ANY(%b) AND document = 'opportunity'",
        (list(keys),),
    )
    return sorted(demand_stream.view_keys(rows))


def months_of_products(connection: psycopg.Connection[Any], keys: Sequence[str]) -> list[str]:
    """Return the keys of the months of these products: with lines, or published once."""
    rows = connection.execute(
        "SELECT DISTINCT product_key, demand_on FROM demand_lines WHERE product_key = ANY(%b)",
        (list(keys),),
    )
    months = demand_stream.view_keys(rows)
    months.update(
        key
        for (key,) in connection.execute(
            # A key is the product's with |YYYY-MM behind it.
            "SELECT key FROM published_views"
            " WHERE topic = %s AND left(key, length(key) - 8) = ANY(%b)",
            (DEMAND_VIEW, list(keys)),
        )
    )
    return sorted(months)


def _reference(key: str) -> dict[str, str]:
    source, _, id = key.partition("|")
    return {"source": source, "id": id}
