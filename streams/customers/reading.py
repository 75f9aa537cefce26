"""Reads the customers as of a date: who they are, what they bought, and where they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

import psycopg

from hub.policy import Policy
from streams.conversion import read_rates
from streams.customers.names import hub_ids, names_of
from streams.customers.rules import (
    ZERO,
    Billed,
    Buying,
    LifecyclePolicy,
    lifecycle,
    months_before,
    revenue_by_customer,
    tiers,
    usual_gap,
)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer of the hub; ``revenue`` in base currency, exact; counts are of documents."""

    id: UUID
    name: str | None
    name_from: str | None
    members: tuple[tuple[str, str], ...]
    tier: str | None
    lifecycle: str
    revenue: Decimal
    orders: int
    shipments: int
    invoices: int
    payments: int
    opportunities: int
    first_order_on: date | None
    last_order_on: date | None


def read_customers(
    connection: psycopg.Connection[Any],
    *,
    as_of: date,
    policy: Policy,
    base_currency: str,
    source_order: Sequence[str] = (),
) -> list[CustomerRow]:
    """Return every customer, known or only named, by falling revenue (DOMAIN §3).

    Documents count from their business date on. ``source_order`` ranks the sources for fields.
    """
    hubs, members = _known_customers(connection)
    counts = _counts(connection, hubs, as_of)
    days = _order_days(connection, hubs, as_of)
    revenue = _revenue(connection, hubs, as_of, policy, base_currency)
    names = names_of(connection, members, source_order)
    tier = _tiers(revenue, policy)
    lifecycles = _lifecycles(members, days, tier, as_of, policy)
    rows = []
    for hub, keys in members.items():
        name, name_from = names.get(hub, (None, None))
        order_days = days.get(hub, [])
        count = counts.get(hub, {})
        rows.append(
            CustomerRow(
                hub,
                name,
                name_from,
                tuple(_source_and_id(key) for key in sorted(keys)),
                tier.get(hub),
                lifecycles[hub],
                revenue.get(hub, ZERO),
                count.get("order", 0),
                count.get("shipment", 0),
                count.get("invoice", 0),
                count.get("payment", 0),
                count.get("opportunity", 0),
                order_days[0] if order_days else None,
                order_days[-1] if order_days else None,
            )
        )
    return sorted(rows, key=lambda row: (-row.revenue, str(row.id)))


def _known_customers(
    connection: psycopg.Connection[Any],
) -> tuple[dict[str, UUID], dict[UUID, set[str]]]:
    """Return the customer of each key of a record, and the keys of each that is known or named."""
    introduced = dict(connection.execute("SELECT key, hub_id FROM customer_members").fetchall())
    named = {
        key for (key,) in connection.execute("SELECT DISTINCT customer_key FROM customer_documents")
    }
    hubs = {**hub_ids(connection, named - introduced.keys()), **introduced}
    members: dict[UUID, set[str]] = defaultdict(set)
    shown = named | {key for (key,) in connection.execute("SELECT key FROM customer_records")}
    for key in shown:
        members[hubs[key]].add(key)
    for key, hub in introduced.items():
        if hub in members:
            members[hub].add(key)
    return hubs, members


def _source_and_id(key: str) -> tuple[str, str]:
    source, _, id = key.partition("|")
    return source, id


def _counts(
    connection: psycopg.Connection[Any], hubs: dict[str, UUID], as_of: date
) -> dict[UUID, dict[str, int]]:
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for customer_key, document, number in connection.execute(
        """
        SELECT customer_key, document, count(*) FROM customer_documents
        WHERE on_date <= %s GROUP BY customer_key, document
        """,
        (as_of,),
    ):
        counts[hubs[customer_key]][document] += number
    return counts


def _order_days(
    connection: psycopg.Connection[Any], hubs: dict[str, UUID], as_of: date
) -> dict[UUID, list[date]]:
    """Return each customer's order days, ascending; cancelled orders are orders that were made."""
    days: dict[UUID, set[date]] = defaultdict(set)
    for customer_key, on_date in connection.execute(
        """
        SELECT DISTINCT customer_key, on_date FROM customer_documents
        WHERE document = 'order' AND on_date <= %s
        """,
        (as_of,),
    ):
        days[hubs[customer_key]].add(on_date)
    return {hub: sorted(found) for hub, found in days.items()}


def _revenue(
    connection: psycopg.Connection[Any],
    hubs: dict[str, UUID],
    as_of: date,
    policy: Policy,
    base_currency: str,
) -> dict[UUID, Decimal]:
    rates = read_rates(connection, base_currency, as_of)
    since = months_before(as_of, policy.revenue_months)
    billed = (
        Billed(
            key,
            kind,
            customer_key,
            on_date,
            None if net is None else rates.convert(net, currency, rate),
            cancels,
        )
        for key, kind, customer_key, on_date, net, currency, rate, cancels in connection.execute(
            """
            SELECT key, kind, customer_key, on_date, net, currency, rate, cancels
            FROM customer_documents AS one WHERE document = 'invoice'
                AND (on_date > %(since)s AND on_date <= %(as_of)s OR kind = 'cancellation'
                    OR EXISTS (SELECT 1 FROM customer_documents AS other
                        WHERE other.document = 'invoice' AND other.cancels = one.key))
            """,
            {"since": since, "as_of": as_of},
        )
    )
    revenue: dict[UUID, Decimal] = defaultdict(Decimal)
    for customer_key, amount in revenue_by_customer(billed, since, as_of).items():
        revenue[hubs[customer_key]] += amount
    return revenue


def _tiers(revenue: Mapping[UUID, Decimal], policy: Policy) -> dict[UUID, str]:
    """Return the tier of each customer that is in one."""
    shares = policy.tier_shares
    found = tiers(
        {str(hub): amount for hub, amount in revenue.items()},
        vip=shares.vip,
        large=shares.large,
        medium=shares.medium,
    )
    return {UUID(hub): tier for hub, tier in found.items()}


def _lifecycles(
    hubs: Iterable[UUID],
    days: Mapping[UUID, Sequence[date]],
    tier: Mapping[UUID, str],
    as_of: date,
    policy: Policy,
) -> dict[UUID, str]:
    """Return where each customer stands; ``days`` are their order days."""
    gaps = _gaps_of_tiers(days, tier)
    rules = LifecyclePolicy(
        new_months=policy.new_customer_months,
        churned_factor=float(policy.churned_gap_factor),
        churned_days=policy.churned_after_days,
        at_risk_chance=float(policy.at_risk_chance),
        at_risk_factor=float(policy.at_risk_gap_factor),
    )
    return {
        hub: lifecycle(days.get(hub, ()), as_of, gaps.get(tier.get(hub)), rules, Buying())
        for hub in hubs
    }


def _gaps_of_tiers(
    days: Mapping[UUID, Sequence[date]], tier: Mapping[UUID, str]
) -> dict[str | None, float]:
    """Return the median of the usual gaps in each tier (None: customers in no tier)."""
    gaps: dict[str | None, list[float]] = defaultdict(list)
    for hub, order_days in days.items():
        gap = usual_gap(order_days)
        if gap is not None:
            gaps[tier.get(hub)].append(gap)
    return {name: _median(found) for name, found in gaps.items()}


def _median(values: Iterable[float]) -> float:
    return float(median(values))
